// The real QEMU of these tests: $DOMSNAP_QEMU, else the one on PATH; and what it needs of files.
#pragma once

#include "../os/scratch.h"
#include "documents.h"
#include "machine/process.h"

#include <chrono>
#include <cstdlib>

namespace domsnap::machine::test {

inline std::string real_qemu() {
    const char* chosen = std::getenv("DOMSNAP_QEMU");
    return os::find_program(chosen && *chosen ? chosen : "qemu-system-x86_64");
}

/// Long enough for QEMU under TCG on a busy host; a test that needs it has hung.
inline Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

class RealQemu : public testing::Test {
  protected:
    void SetUp() override {
        qemu = real_qemu();
        if (qemu.empty()) GTEST_SKIP() << "no qemu-system-x86_64 and no $DOMSNAP_QEMU";
    }
    CommandLineFacts facts() const {
        CommandLineFacts known;
        known.emulator = qemu;
        return known;
    }
    Scratch scratch;
    std::string qemu;
};

} // namespace domsnap::machine::test
