// Documents and the command lines that they become. UPDATE_GOLDEN=1 writes what is missing or changed.
#include "documents.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace domsnap::machine::test {
namespace {

class Golden : public testing::TestWithParam<std::string> {};

std::string written(const std::string& name, int qemu_major) {
    return printable_command_line(command_line(domain_of(golden_text(name)), golden_facts(name, qemu_major)));
}

TEST_P(Golden, CommandLineIsTheRecordedOne) {
    const std::string path = golden_folder() / (GetParam() + ".args");
    const auto now = written(GetParam(), 7);
    if (std::getenv("UPDATE_GOLDEN")) os::write_file(path, now);
    ASSERT_TRUE(os::exists(path)) << "run with UPDATE_GOLDEN=1, then read what it wrote";
    EXPECT_EQ(os::read_file(path, 1 << 20), now);
}

TEST_P(Golden, QemuTenIsGivenTheSame) { EXPECT_EQ(written(GetParam(), 7), written(GetParam(), 10)); }

TEST_P(Golden, NeverUsesWhatWouldHideImagesOrRunOthers) {
    const auto argv = command_line(domain_of(golden_text(GetParam())), golden_facts(GetParam(), 7));
    for (const auto* banned :
         {"-drive", "-hda", "-cdrom", "-monitor", "-no-shutdown", "-daemonize", "-pidfile"})
        EXPECT_EQ(std::count(argv.begin(), argv.end(), banned), 0) << banned;
    for (const auto* needed : {"-S", "-nodefaults", "-no-user-config"})
        EXPECT_EQ(std::count(argv.begin(), argv.end(), needed), 1) << needed;
    EXPECT_TRUE(value_of(argv, "-sandbox").starts_with("on,"));
    EXPECT_EQ(values_of(argv, "-object", "\"pc.ram\"").size(), 1U);
    EXPECT_TRUE(value_of(argv, "-machine").ends_with(",memory-backend=pc.ram"));
    EXPECT_EQ(values_of(argv, "-mon", "mode=control").size(), 3U);
}

TEST_P(Golden, EveryDeviceHasAnIdOfItsOwn) {
    const auto argv = command_line(domain_of(golden_text(GetParam())), golden_facts(GetParam(), 7));
    std::vector<std::string> ids;
    for (const auto& device : values_of(argv, "-device")) {
        const auto at = device.find("\"id\":\"");
        if (device.starts_with('{')) {
            ASSERT_NE(at, std::string::npos) << device;
            ids.push_back(device.substr(at + 6, device.find('"', at + 6) - at - 6));
        }
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

INSTANTIATE_TEST_SUITE_P(Documents, Golden, testing::ValuesIn(goldens()), [](const auto& parameter) {
    auto name = parameter.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

} // namespace
} // namespace domsnap::machine::test
