// The fuzz target on its corpus: what once was found stays found.
#include "os/file.h"

#include <cstdint>
#include <gtest/gtest.h>

extern "C" int fuzz_qcow2(const uint8_t* data, size_t size);

TEST(Corpus, OfQcow2Files) {
    const std::string folder = FUZZ_CORPUS;
    const auto names = domsnap::os::list_folder(folder);
    EXPECT_GE(names.size(), 8U);
    for (const std::string& name : names) {
        SCOPED_TRACE(name);
        const std::string bytes = domsnap::os::read_file(folder + "/" + name, 1 << 20);
        EXPECT_EQ(fuzz_qcow2(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
    }
}
