// SPDX-License-Identifier: BSD-3-Clause
// Local sockets with several receivers.
#include "arch/cpu.hpp"
#include "harness/test.hpp"
#include "net/local/local_socket.hpp"
#include "smp/debug/race_point.hpp"

namespace tutti::net {

// One byte each of a message of two: the second receiver wakes as well.
TEST_ALL_CPUS(local_socket, receivers_share_a_message, .min_cpus = 3) {
    static LocalSocket::Pair pair;
    if (cpu.value() == 0) pair = *LocalSocket::create_pair(SocketType::Stream, {});
    smp::RaceAmplifier const amplifier{3000};
    for (u32 round = 0; round < 20; ++round) {
        harness::meet();
        if (cpu.value() == 0) {
            for (u32 i = 0; i < 1000; ++i) arch::pause();  // both wait by now, as a rule
            u8 const bytes[2] = {};
            vm::IoBuffer from = vm::IoBuffer::kernel(bytes);
            EXPECT_EQ(pair.first->send(from, {}).value_or(0), u64{2});
        } else if (cpu.value() <= 2) {
            u8 byte = 0;
            vm::IoBuffer to = vm::IoBuffer::kernel(std::span{&byte, 1});
            auto const received = pair.second->receive(to, {});
            EXPECT(received && received->bytes == 1);
        }
    }
    harness::meet();
    if (cpu.value() == 0) pair = {};
}

}  // namespace tutti::net
