// SPDX-License-Identifier: BSD-3-Clause
#include "base/result.hpp"

#include "base/isr_marks.hpp"

namespace tutti {

ISR_SAFE std::string_view name_of(Error error) {
    switch (error) {
        case Error::AccessDenied: return "AccessDenied";
        case Error::AddressInUse: return "AddressInUse";
        case Error::AddressNotAvailable: return "AddressNotAvailable";
        case Error::AlreadyConnected: return "AlreadyConnected";
        case Error::AlreadyInProgress: return "AlreadyInProgress";
        case Error::BadAddress: return "BadAddress";
        case Error::BadFileDescriptor: return "BadFileDescriptor";
        case Error::BadFormat: return "BadFormat";
        case Error::BadMessage: return "BadMessage";
        case Error::BadLibrary: return "BadLibrary";
        case Error::BrokenPipe: return "BrokenPipe";
        case Error::Busy: return "Busy";
        case Error::Canceled: return "Canceled";
        case Error::ConnectionAborted: return "ConnectionAborted";
        case Error::ConnectionRefused: return "ConnectionRefused";
        case Error::ConnectionReset: return "ConnectionReset";
        case Error::CrossDevice: return "CrossDevice";
        case Error::Deadlock: return "Deadlock";
        case Error::DestinationRequired: return "DestinationRequired";
        case Error::DirectoryNotEmpty: return "DirectoryNotEmpty";
        case Error::Exists: return "Exists";
        case Error::FileTooBig: return "FileTooBig";
        case Error::InProgress: return "InProgress";
        case Error::Interrupted: return "Interrupted";
        case Error::InterruptedForGood: return "InterruptedForGood";
        case Error::InvalidArgument: return "InvalidArgument";
        case Error::IoError: return "IoError";
        case Error::IsDirectory: return "IsDirectory";
        case Error::MessageTooLong: return "MessageTooLong";
        case Error::NameTooLong: return "NameTooLong";
        case Error::NoBufferSpace: return "NoBufferSpace";
        case Error::NoChild: return "NoChild";
        case Error::NoData: return "NoData";
        case Error::NoDevice: return "NoDevice";
        case Error::NoDeviceAddress: return "NoDeviceAddress";
        case Error::NoMemory: return "NoMemory";
        case Error::NoSpace: return "NoSpace";
        case Error::NoSuchProcess: return "NoSuchProcess";
        case Error::NotConnected: return "NotConnected";
        case Error::NotDirectory: return "NotDirectory";
        case Error::NotExecutable: return "NotExecutable";
        case Error::NotFound: return "NotFound";
        case Error::NotImplemented: return "NotImplemented";
        case Error::NotPermitted: return "NotPermitted";
        case Error::NotSocket: return "NotSocket";
        case Error::NotSupported: return "NotSupported";
        case Error::NotTerminal: return "NotTerminal";
        case Error::OutOfRange: return "OutOfRange";
        case Error::Overflow: return "Overflow";
        case Error::OwnerDied: return "OwnerDied";
        case Error::ProtocolNotSupported: return "ProtocolNotSupported";
        case Error::ReadOnly: return "ReadOnly";
        case Error::SeekOnPipe: return "SeekOnPipe";
        case Error::SocketTypeNotSupported: return "SocketTypeNotSupported";
        case Error::TextBusy: return "TextBusy";
        case Error::TimedOut: return "TimedOut";
        case Error::TooBig: return "TooBig";
        case Error::TooManyFiles: return "TooManyFiles";
        case Error::TooManyFilesSystem: return "TooManyFilesSystem";
        case Error::TooManyLinks: return "TooManyLinks";
        case Error::TooManySymlinks: return "TooManySymlinks";
        case Error::UnknownAddressFamily: return "UnknownAddressFamily";
        case Error::WouldBlock: return "WouldBlock";
        case Error::WrongType: return "WrongType";
    }
    return "unknown error";
}

}  // namespace tutti
