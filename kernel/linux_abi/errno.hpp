// SPDX-License-Identifier: BSD-3-Clause
// Linux errno values and the one map from the kernel's Error to them. No other folder knows errno.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::linux_abi {

// Generic numbers, the same on x86_64 and aarch64 (linux/include/uapi/asm-generic/errno*.h).
enum Errno : i32 {
    kEPERM = 1, kENOENT = 2, kESRCH = 3, kEINTR = 4, kEIO = 5, kENXIO = 6, kE2BIG = 7, kENOEXEC = 8, kEBADF = 9,
    kECHILD = 10, kEAGAIN = 11, kENOMEM = 12, kEACCES = 13, kEFAULT = 14, kENOTBLK = 15, kEBUSY = 16,
    kEEXIST = 17, kEXDEV = 18, kENODEV = 19, kENOTDIR = 20, kEISDIR = 21, kEINVAL = 22, kENFILE = 23,
    kEMFILE = 24, kENOTTY = 25, kETXTBSY = 26, kEFBIG = 27, kENOSPC = 28, kESPIPE = 29, kEROFS = 30,
    kEMLINK = 31, kEPIPE = 32, kEDOM = 33, kERANGE = 34, kEDEADLK = 35, kENAMETOOLONG = 36, kENOLCK = 37,
    kENOSYS = 38, kENOTEMPTY = 39, kELOOP = 40, kENODATA = 61, kEPROTO = 71, kEBADMSG = 74, kEOVERFLOW = 75,
    kELIBBAD = 80, kENOTSOCK = 88, kEDESTADDRREQ = 89, kEMSGSIZE = 90, kEPROTOTYPE = 91, kENOPROTOOPT = 92,
    kEPROTONOSUPPORT = 93, kESOCKTNOSUPPORT = 94, kEOPNOTSUPP = 95, kEPFNOSUPPORT = 96, kEAFNOSUPPORT = 97,
    kEADDRINUSE = 98, kEADDRNOTAVAIL = 99, kENETDOWN = 100, kENETUNREACH = 101, kECONNABORTED = 103,
    kECONNRESET = 104, kENOBUFS = 105, kEISCONN = 106, kENOTCONN = 107, kETIMEDOUT = 110, kECONNREFUSED = 111,
    kEHOSTUNREACH = 113, kEALREADY = 114, kEINPROGRESS = 115, kECANCELED = 125, kEOWNERDEAD = 130,
    kENOTRECOVERABLE = 131,
};

// The (positive) errno value that tells a program of `error`. Total: every enumerator has one.
[[nodiscard]] Errno to_errno(Error error);

}  // namespace tutti::linux_abi
