// The fuzzers' corpora: the fuzz targets themselves (compiled into this program under other names) read them.
#include "golden.h"

#include <cstdint>

extern "C" int fuzz_snapshot_xml(const uint8_t* data, size_t size);
extern "C" int fuzz_domain_xml(const uint8_t* data, size_t size);

static void replay(const char* folder, int (*target)(const uint8_t*, size_t)) {
    for (const auto& file : golden::files(std::filesystem::path(FUZZ_CORPUS) / folder, "")) {
        const auto bytes = golden::read(file);
        EXPECT_EQ(target(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0) << file;
    }
}

TEST(Corpus, of_snapshots_is_handled) { replay("snapshot_xml", fuzz_snapshot_xml); }
TEST(Corpus, of_domains_is_handled) { replay("domain_xml", fuzz_domain_xml); }
TEST(Corpus, of_snapshots_is_handled_as_domains) { replay("snapshot_xml", fuzz_domain_xml); }
