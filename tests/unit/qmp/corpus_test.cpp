// Every input that the fuzzer of the codec keeps, and what it once broke, is decoded again.
#include "base/error.h"
#include "codec_run.h"
#include "os/file.h"

#include <gtest/gtest.h>

namespace domsnap::qmp {
namespace {

TEST(QmpCorpus, IsDecodedOrRefused) {
    const std::string folder = FUZZ_CORPUS;
    const auto names = os::list_folder(folder);
    EXPECT_GE(names.size(), 10u);
    for (const auto& name : names) {
        SCOPED_TRACE(name);
        run_codec(os::read_file(folder + "/" + name, 1 << 20));
    }
}

} // namespace
} // namespace domsnap::qmp
