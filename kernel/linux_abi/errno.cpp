// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/errno.hpp"

namespace tutti::linux_abi {

Errno to_errno(Error error) {
    switch (error) {  // no default: a new enumerator must be given its number here
        case Error::AccessDenied: return kEACCES;
        case Error::AddressInUse: return kEADDRINUSE;
        case Error::AddressNotAvailable: return kEADDRNOTAVAIL;
        case Error::AlreadyConnected: return kEISCONN;
        case Error::AlreadyInProgress: return kEALREADY;
        case Error::BadAddress: return kEFAULT;
        case Error::BadFileDescriptor: return kEBADF;
        case Error::BadFormat: return kENOEXEC;
        case Error::BadMessage: return kEBADMSG;
        case Error::BadLibrary: return kELIBBAD;
        case Error::BrokenPipe: return kEPIPE;
        case Error::Busy: return kEBUSY;
        case Error::Canceled: return kECANCELED;
        case Error::ConnectionAborted: return kECONNABORTED;
        case Error::ConnectionRefused: return kECONNREFUSED;
        case Error::ConnectionReset: return kECONNRESET;
        case Error::CrossDevice: return kEXDEV;
        case Error::Deadlock: return kEDEADLK;
        case Error::DestinationRequired: return kEDESTADDRREQ;
        case Error::DirectoryNotEmpty: return kENOTEMPTY;
        case Error::Exists: return kEEXIST;
        case Error::FileTooBig: return kEFBIG;
        case Error::InProgress: return kEINPROGRESS;
        case Error::Interrupted:
        case Error::InterruptedForGood: return kEINTR;
        case Error::InvalidArgument: return kEINVAL;
        case Error::IoError: return kEIO;
        case Error::IsDirectory: return kEISDIR;
        case Error::MessageTooLong: return kEMSGSIZE;
        case Error::NameTooLong: return kENAMETOOLONG;
        case Error::NoBufferSpace: return kENOBUFS;
        case Error::NoChild: return kECHILD;
        case Error::NoData: return kENODATA;
        case Error::NoDevice: return kENODEV;
        case Error::NoDeviceAddress: return kENXIO;
        case Error::NoMemory: return kENOMEM;
        case Error::NoSpace: return kENOSPC;
        case Error::NoSuchProcess: return kESRCH;
        case Error::NotConnected: return kENOTCONN;
        case Error::NotDirectory: return kENOTDIR;
        case Error::NotExecutable: return kENOEXEC;
        case Error::NotFound: return kENOENT;
        case Error::NotImplemented: return kENOSYS;
        case Error::NotPermitted: return kEPERM;
        case Error::NotSocket: return kENOTSOCK;
        case Error::NotSupported: return kEOPNOTSUPP;
        case Error::NotTerminal: return kENOTTY;
        case Error::OutOfRange: return kERANGE;
        case Error::Overflow: return kEOVERFLOW;
        case Error::OwnerDied: return kEOWNERDEAD;
        case Error::ProtocolNotSupported: return kEPROTONOSUPPORT;
        case Error::ReadOnly: return kEROFS;
        case Error::SeekOnPipe: return kESPIPE;
        case Error::SocketTypeNotSupported: return kESOCKTNOSUPPORT;
        case Error::TextBusy: return kETXTBSY;
        case Error::TimedOut: return kETIMEDOUT;
        case Error::TooBig: return kE2BIG;
        case Error::TooManyFiles: return kEMFILE;
        case Error::TooManyFilesSystem: return kENFILE;
        case Error::TooManyLinks: return kEMLINK;
        case Error::TooManySymlinks: return kELOOP;
        case Error::UnknownAddressFamily: return kEAFNOSUPPORT;
        case Error::WouldBlock: return kEAGAIN;
        case Error::WrongType: return kEINVAL;
    }
    return kEINVAL;
}

}  // namespace tutti::linux_abi
