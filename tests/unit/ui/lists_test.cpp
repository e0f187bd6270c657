// virsh 9.0's lists, byte for byte.
#include "ui/domains.h"
#include "ui/snapshots.h"
#include "ui/table.h"
#include "ui/time.h"
#include "ui/width.h"

#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace domsnap::ui {
namespace {

SnapshotInfo snapshot(const std::string& name, const std::string& state, const std::string& parent,
                      bool external = true) {
    SnapshotInfo info;
    info.name = name;
    info.domain = "g";
    info.state = state;
    info.parent = parent;
    info.external = external;
    info.memory = state == "running" ? "external" : "no";
    info.creation_time = 1795440556;
    return info;
}

struct Lists : testing::Test {
    Lists() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
    const std::vector<SnapshotInfo> three{snapshot("d1", "disk-snapshot", "e1"),
                                          snapshot("e1", "running", "i1"),
                                          snapshot("i1", "running", "", false)};
};

TEST_F(Lists, TableWithParents) {
    EXPECT_EQ(snapshot_table(three, true, false),
              " Name   Creation Time               State           Parent\n"
              "------------------------------------------------------------\n"
              " d1     2026-11-23 13:29:16 +0000   disk-snapshot   e1\n"
              " e1     2026-11-23 13:29:16 +0000   running         i1\n"
              " i1     2026-11-23 13:29:16 +0000   running         \n");
}

TEST_F(Lists, QuietTableHasNeitherHeadingNorItsWidths) {
    EXPECT_EQ(snapshot_table({three[1]}, false, true), " e1   2026-11-23 13:29:16 +0000   running\n");
    EXPECT_EQ(snapshot_table({}, false, true), "");
}

TEST_F(Lists, AnEmptyListKeepsHeadingAndRule) {
    EXPECT_EQ(snapshot_table({}, false, false),
              " Name   Creation Time   State\n-------------------------------\n");
    EXPECT_EQ(domain_table({}, false), " Id   Name   State\n--------------------\n");
}

TEST_F(Lists, ColumnsAreAsWideAsTheyLook) {
    EXPECT_EQ(table({"A", "B"}, {{"名前", "x"}, {"e\xCC\x81", "y"}, {"a\nb", "z"}}), " A        B\n"
                                                                                     "-------------\n"
                                                                                     " 名前     x\n"
                                                                                     " e\xCC\x81        y\n"
                                                                                     " a\\x0ab   z\n");
}

TEST_F(Lists, TimesFollowTheZone) {
    ::setenv("TZ", "Europe/Berlin", 1);
    ::tzset();
    EXPECT_EQ(local_time(1795440556), "2026-11-23 14:29:16 +0100");
}

TEST_F(Lists, InfoBlock) {
    auto info = three[1];
    info.children = info.descendants = 1;
    EXPECT_EQ(snapshot_block(info), "Name:           e1\n"
                                    "Domain:         g\n"
                                    "Current:        no\n"
                                    "State:          running\n"
                                    "Location:       external\n"
                                    "Parent:         i1\n"
                                    "Children:       1\n"
                                    "Descendants:    1\n"
                                    "Metadata:       yes\n");
    info.parent.clear();
    EXPECT_NE(snapshot_block(info).find("Parent:         -\n"), std::string::npos);
}

TEST_F(Lists, InfoBlockOfMemoryThatRestsOnOther) {
    MemoryImageInfo memory{"/vm/e1.mem", 12 << 20, "", 1, ""};
    EXPECT_EQ(snapshot_block(three[1], memory), snapshot_block(three[1])) << "a whole image: virsh's block";
    EXPECT_NE(snapshot_json(three[1], memory).find(R"("size": 12582912)"), std::string::npos);
    memory.parent = "/vm/i1.mem";
    memory.chain = 3;
    EXPECT_NE(snapshot_block(three[1], memory).find("Memory:         12 MiB over /vm/i1.mem (chain of 3)\n"),
              std::string::npos)
        << snapshot_block(three[1], memory);
    EXPECT_NE(snapshot_json(three[1], memory).find(R"("parent": "/vm/i1.mem")"), std::string::npos);
    memory.problem = "/vm/i1.mem: torn";
    EXPECT_NE(snapshot_block(three[1], memory).find("Memory:         /vm/i1.mem: torn\n"), std::string::npos);
}

DomainInfo domain(const std::string& name, int64_t id) {
    DomainInfo info;
    info.name = name;
    info.uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f";
    info.id = id;
    info.state = id < 0 ? DomainState::shutoff : DomainState::running;
    info.reason = id < 0 ? "" : "booted";
    info.vcpus = 2;
    info.max_memory = info.used_memory = 8ull << 30;
    return info;
}

double cpu(const DomainInfo& info) { return info.active() ? 12.34 : 0; }

TEST_F(Lists, Domains) {
    EXPECT_EQ(domain_table({domain("test", 1), domain("off", -1)}, false), " Id   Name   State\n"
                                                                           "-----------------------\n"
                                                                           " 1    test   running\n"
                                                                           " -    off    shut off\n");
    EXPECT_EQ(domain_table({domain("test", 1)}, true), " 1   test   running\n");
    EXPECT_EQ(domain_names({domain("test", 1)}, {.uuid = true, .id = true, .name = true}),
              "6695eb01-f6a4-8304-79aa-97f2502e193f 1 test\n");
    EXPECT_EQ(domain_state(domain("test", 1), true), "running (booted)\n");
    EXPECT_EQ(domain_state(domain("off", -1), true), "shut off (unknown)\n");
    EXPECT_EQ(domain_state(domain("off", -1), false), "shut off\n");
}

TEST_F(Lists, DomainBlock) {
    EXPECT_EQ(domain_block(domain("test", 1), cpu), "Id:             1\n"
                                                    "Name:           test\n"
                                                    "UUID:           6695eb01-f6a4-8304-79aa-97f2502e193f\n"
                                                    "OS Type:        hvm\n"
                                                    "State:          running\n"
                                                    "CPU(s):         2\n"
                                                    "CPU time:       12.3s\n"
                                                    "Max memory:     8388608 KiB\n"
                                                    "Used memory:    8388608 KiB\n"
                                                    "Persistent:     yes\n"
                                                    "Autostart:      disable\n"
                                                    "Managed save:   no\n"
                                                    "Security model: none\n"
                                                    "Security DOI:   0\n");
    EXPECT_EQ(domain_block(domain("off", -1), cpu).find("CPU time"), std::string::npos);
}

TEST_F(Lists, Disks) {
    const std::vector<DiskInfo> disks{{"vda", "file", "disk", "/guest/diskimage1", "qcow2", "virtio", {}},
                                      {"hdc", "file", "cdrom", "", "raw", "ide", {}}};
    EXPECT_EQ(disk_table(disks, true, false), " Type   Device   Target   Source\n"
                                              "---------------------------------------------\n"
                                              " file   disk     vda      /guest/diskimage1\n"
                                              " file   cdrom    hdc      -\n");
    EXPECT_EQ(disk_table(disks, false, false), " Target   Source\n"
                                               "-----------------------------\n"
                                               " vda      /guest/diskimage1\n"
                                               " hdc      -\n");
}

TEST_F(Lists, JsonKeysAreStable) {
    const auto list = nlohmann::json::parse(snapshots_json("g", three));
    EXPECT_EQ(list["domain"], "g");
    ASSERT_EQ(list["snapshots"].size(), 3u);
    const auto& last = list["snapshots"][2];
    EXPECT_EQ(last["parent"], nullptr);
    EXPECT_EQ(last["location"], "internal");
    EXPECT_EQ(last["creationTime"], 1795440556);
    EXPECT_EQ(last.size(), 11u);
    const auto domains =
        nlohmann::json::parse(domains_json({domain("t", -1), domain("bad\xFF name", 3)}, cpu));
    EXPECT_EQ(domains["domains"][0]["id"], nullptr);
    EXPECT_EQ(domains["domains"][1]["name"], "bad\xEF\xBF\xBD name");
    EXPECT_EQ(domains["domains"][1]["maxMemory"], 8ull << 30);
}

TEST(Width, OfOddText) {
    EXPECT_EQ(display_width(""), 0u);
    EXPECT_EQ(display_width("💾"), 2u);
    EXPECT_EQ(display_width("\xFF\xC3"), 2u);
    EXPECT_EQ(cell("a\tb\x1b[31m\xFF\xC2\x85"), "a\\x09b\\x1b[31m\\xff\\xc2\\x85");
    EXPECT_EQ(cell("x\xE2\x80\xAEy"), "x\\xe2\\x80\\xaey");
    EXPECT_EQ(cell("\xC0\x80\xED\xA0\x80"), "\\xc0\\x80\\xed\\xa0\\x80");
    EXPECT_EQ(padded("名", 4), "名  ");
}

} // namespace
} // namespace domsnap::ui
