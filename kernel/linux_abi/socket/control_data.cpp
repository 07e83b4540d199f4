// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/socket/control_data.hpp"

#include <algorithm>
#include <new>

#include "base/bits.hpp"
#include "linux_abi/process/process.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u64 kMostControl = 20480;  // net.core.optmem_max

Result<> read_files(Task& task, VirtAddr from, u64 size, OutgoingControl& control) {
    if (size % sizeof(i32) != 0) return fail(Error::InvalidArgument);
    if (!control.files) control.files.reset(new (std::nothrow) PassedFiles);
    if (!control.files) return fail(Error::NoMemory);
    for (u64 i = 0; i < size / sizeof(i32); ++i) {
        if (control.files->files.size() == kScmMaxFiles) return fail(Error::InvalidArgument);
        i32 const fd = TRY(read_user(UserPtr<i32>{from + i * sizeof(i32)}));
        TRY(control.files->files.try_push_back(TRY(task.process().files().get(fd))));
    }
    return {};
}

// Puts control messages one after the other into the program's buffer.
class Writer {
  public:
    explicit Writer(MsgHdr& header) : header_{header}, room_{header.control == 0 ? 0 : header.control_length} {}

    // Bytes of data that one more message may have.
    [[nodiscard]] u64 space() const { return room_ - used_ > sizeof(CmsgHdr) ? room_ - used_ - sizeof(CmsgHdr) : 0; }
    void truncated() { header_.flags |= kMsgControlTruncated; }

    Result<> add(ControlType type, void const* data, u64 size) {
        CmsgHdr const head{sizeof(CmsgHdr) + size, kSolSocket, type};
        TRY(vm::copy_to_user(VirtAddr{header_.control + used_}, &head, sizeof head));
        TRY(vm::copy_to_user(VirtAddr{header_.control + used_ + sizeof head}, data, size));
        used_ = std::min(used_ + align_up(head.length, kCmsgAlign), room_);
        return {};
    }
    void finish() { header_.control_length = used_; }

  private:
    MsgHdr& header_;
    u64 const room_;
    u64 used_ = 0;
};

Result<> deliver_files(Task& task, PassedFiles& passed, Writer& writer, bool close_on_exec) {
    u64 const count = std::min<u64>(passed.files.size(), writer.space() / sizeof(i32));
    if (count < passed.files.size()) writer.truncated();
    if (count == 0) return {};
    i32 numbers[kScmMaxFiles];
    u64 opened = 0;
    for (; opened < count; ++opened) {
        Result<i32> const number = task.process().files().add(
            passed.files[opened], close_on_exec ? FdFlag::CloseOnExec : FdFlag::None);
        if (!number) {
            writer.truncated();
            break;
        }
        numbers[opened] = *number;
    }
    return opened == 0 ? Result<>{} : writer.add(kScmRights, numbers, opened * sizeof(i32));
}

}  // namespace

Result<OutgoingControl> read_control(Task& task, MsgHdr const& header, net::Credentials own) {
    OutgoingControl control;
    control.credentials = own;
    if (header.control_length > kMostControl) return fail(Error::NoBufferSpace);
    for (u64 at = 0; header.control_length - at >= sizeof(CmsgHdr);) {
        CmsgHdr const head = TRY(read_user(UserPtr<CmsgHdr>{header.control + at}));
        if (head.length < sizeof head || head.length > header.control_length - at) return fail(Error::InvalidArgument);
        VirtAddr const data{header.control + at + sizeof head};
        u64 const size = head.length - sizeof head;
        if (head.level == kSolSocket) {
            if (head.type == kScmRights) {
                TRY(read_files(task, data, size, control));
            } else if (head.type == kScmCredentials && size == sizeof(Ucred)) {
                // Everything runs as root, which may give any identity (unix(7)).
                Ucred const given = TRY(read_user(UserPtr<Ucred>{data}));
                control.credentials = {given.pid, given.uid, given.gid};
            } else {
                return fail(Error::InvalidArgument);
            }
        }
        u64 const step = align_up(head.length, kCmsgAlign);
        if (step >= header.control_length - at) break;
        at += step;
    }
    return control;
}

Result<> write_control(Task& task, MsgHdr& header, std::unique_ptr<net::Attachment> attachment,
                       net::Credentials const* credentials, bool close_on_exec) {
    Writer writer{header};
    if (credentials != nullptr) {
        Ucred const value{credentials->process, credentials->user, credentials->group};
        if (writer.space() >= sizeof value)
            TRY(writer.add(kScmCredentials, &value, sizeof value));
        else
            writer.truncated();
    }
    // Only this layer attaches anything, and nothing but files.
    if (attachment) TRY(deliver_files(task, static_cast<PassedFiles&>(*attachment), writer, close_on_exec));
    writer.finish();
    return {};
}

}  // namespace tutti::linux_abi
