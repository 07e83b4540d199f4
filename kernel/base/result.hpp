// SPDX-License-Identifier: BSD-3-Clause
// Errors as values: every function that can fail for a reason outside our own code returns Result<T>.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

namespace tutti {

// What went wrong, in the kernel's own terms. linux_abi/errno.hpp maps these to errno values; no other folder
// knows errno. Add an enumerator only when a caller must tell it apart.
enum class Error : std::uint8_t {
    AccessDenied,          // permission bits or protection say no
    AddressInUse,          // a name or address is bound already
    AddressNotAvailable,   // no such local address
    AlreadyConnected,      // the socket has a peer
    AlreadyInProgress,     // an operation of this kind is under way
    BadAddress,            // a user pointer that does not refer to accessible memory
    BadFileDescriptor,     // no such open file, or not open for this
    BadFormat,             // data that does not parse (ELF, cpio, tables)
    BadMessage,            // a message that breaks the protocol
    BadLibrary,            // a shared library or interpreter that is missing or broken
    BrokenPipe,            // the other end is gone
    Busy,                  // in use; try later
    Canceled,              // the operation was called off
    ConnectionAborted,     // given up by the local side
    ConnectionRefused,     // nobody listens
    ConnectionReset,       // the peer went away with data unread
    CrossDevice,           // link or rename across filesystems
    Deadlock,              // the wait would never end
    DestinationRequired,   // a datagram without an address
    DirectoryNotEmpty,     // remove of a directory that has entries
    Exists,                // the name is taken
    FileTooBig,            // beyond the largest file or offset
    InProgress,            // started; completion comes later
    Interrupted,           // a signal ended the wait; nothing was done
    InterruptedForGood,    // likewise, and the call must not begin anew: its time limit would
    InvalidArgument,       // a value that this call never accepts
    IoError,               // the device failed
    IsDirectory,           // a directory where a file is needed
    MessageTooLong,        // larger than one message can be
    NameTooLong,           // a path or component over the limit
    NoBufferSpace,         // no room for queued data
    NoChild,               // nothing to wait for
    NoData,                // the attribute or data does not exist
    NoDevice,              // no such device, or it has gone
    NoDeviceAddress,       // no such address within the device (ENXIO)
    NoMemory,              // out of memory or of address space
    NoSpace,               // the filesystem is full
    NoSuchProcess,         // no such process or thread
    NotConnected,          // the socket has no peer
    NotDirectory,          // a component that must be a directory is not
    NotExecutable,         // not an executable of this machine
    NotFound,              // no such name
    NotImplemented,        // a system call or option that we do not have
    NotPermitted,          // needs a right that the caller lacks
    NotSocket,             // a socket is needed
    NotSupported,          // valid, but this object does not do it (EOPNOTSUPP)
    NotTerminal,           // not a terminal, or an ioctl of another device (ENOTTY)
    OutOfRange,            // a result or argument outside the representable range (ERANGE)
    Overflow,              // a value too large for its field (EOVERFLOW)
    OwnerDied,             // the lock's owner ended while it held it
    ProtocolNotSupported,  // unknown protocol
    ReadOnly,              // a read-only filesystem
    SeekOnPipe,            // a stream has no position
    SocketTypeNotSupported,
    TextBusy,           // a running program may not be written
    TimedOut,           // the deadline passed
    TooBig,             // argument list or structure too large (E2BIG)
    TooManyFiles,       // the process's descriptor limit
    TooManyFilesSystem, // the system's limit
    TooManyLinks,       // link count limit
    TooManySymlinks,    // a loop of symbolic links
    UnknownAddressFamily,
    WouldBlock,         // nothing now, and the caller does not wait
    WrongType,          // the object is of another kind
};

// The enumerator's name, for logs and test output.
[[nodiscard]] std::string_view name_of(Error error);

template <class T = void>
using Result = std::expected<T, Error>;

// `return fail(Error::NotFound);`
[[nodiscard]] constexpr std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(error); }

}  // namespace tutti

#define TUTTI_CONCATENATE_(a, b) a##b
#define TUTTI_CONCATENATE(a, b) TUTTI_CONCATENATE_(a, b)
#define TUTTI_TRY(result, ...)                                 \
    ({                                                         \
        auto&& result = (__VA_ARGS__);                         \
        if (!result.has_value()) [[unlikely]]                  \
            return ::tutti::fail(result.error());              \
        *std::forward<decltype(result)>(result);               \
    })
// The value of a Result, or return its error from the enclosing function.
#define TRY(...) TUTTI_TRY(TUTTI_CONCATENATE(tutti_try_, __COUNTER__), __VA_ARGS__)
