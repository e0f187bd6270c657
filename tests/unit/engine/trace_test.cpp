// What a step leaves for whoever measures, and that measuring never stands in the way.
#include "engine/trace.h"

#include "os/file.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace domsnap::engine {
namespace {

class Trace : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "domsnap-trace-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    void TearDown() override {
        ::unsetenv("DOMSNAP_TRACE");
        std::filesystem::remove_all(folder_);
    }
    std::string folder_;
};

TEST_F(Trace, EachStepAddsALine) {
    const auto file = folder_ + "/trace";
    ::setenv("DOMSNAP_TRACE", file.c_str(), 1);
    {
        const TraceStep step("make-overlay");
    }
    EXPECT_THAT(os::read_file(file, 1000),
                ::testing::MatchesRegex("[0-9]+\\.[0-9]{6} make-overlay [0-9]+\\.[0-9]{3}\n"));
    {
        const TraceStep step("put-record");
    }
    EXPECT_THAT(os::read_file(file, 1000),
                ::testing::MatchesRegex("[^\n]+make-overlay[^\n]+\n[^\n]+put-record[^\n]+\n"));
}

TEST_F(Trace, NothingIsWrittenUnlessAskedFor) {
    {
        const TraceStep step("make-overlay");
    }
    ::setenv("DOMSNAP_TRACE", "", 1);
    {
        const TraceStep step("make-overlay");
    }
    EXPECT_TRUE(os::list_folder(folder_).empty());
}

TEST_F(Trace, AFileThatCannotBeWrittenIsNoError) {
    ::setenv("DOMSNAP_TRACE", (folder_ + "/missing/trace").c_str(), 1);
    EXPECT_NO_THROW({ const TraceStep step("make-overlay"); });
}

} // namespace
} // namespace domsnap::engine
