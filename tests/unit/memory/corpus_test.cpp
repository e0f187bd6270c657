// The fuzz targets on their corpora: what once was found stays found.
#include "os/file.h"

#include <cstdint>
#include <gtest/gtest.h>

extern "C" int fuzz_memory_image(const uint8_t* data, size_t size);
extern "C" int fuzz_migration_stream(const uint8_t* data, size_t size);
extern "C" int fuzz_return_path(const uint8_t* data, size_t size);

namespace domsnap::memory {
namespace {

void replay(const std::string& name, int (*target)(const uint8_t*, size_t)) {
    const std::string folder = std::string(FUZZ_CORPUS) + "/" + name;
    const auto files = os::list_folder(folder);
    EXPECT_FALSE(files.empty()) << folder;
    for (const std::string& file : files) {
        SCOPED_TRACE(file);
        const std::string bytes = os::read_file(folder + "/" + file, 1 << 20);
        EXPECT_EQ(target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
    }
}

TEST(Corpus, OfMemoryImages) { replay("memory_image", fuzz_memory_image); }
TEST(Corpus, OfMigrationStreams) { replay("migration_stream", fuzz_migration_stream); }
TEST(Corpus, OfReturnPaths) { replay("return_path", fuzz_return_path); }

} // namespace
} // namespace domsnap::memory
