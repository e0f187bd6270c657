// What <domainsnapshot> looks like, and which names there may be.
#include "model/snapshot.h"

#include "base/error.h"

#include <gtest/gtest.h>

using namespace domsnap;
using namespace domsnap::model;

namespace {

Snapshot external() {
    Snapshot s;
    s.name = "e1";
    s.state = SnapshotState::running;
    s.parent = "i1";
    s.creation_time = 1795440556;
    s.memory = {Location::external, "/vm/mem.e1", ""};
    SnapshotDisk vda, hdc;
    vda.name = "vda";
    vda.location = Location::external;
    vda.driver = "qcow2";
    vda.source = "/vm/vda.e1";
    vda.point = DiskPoint{"/vm/vda.qcow2", "qcow2", ""};
    hdc.name = "hdc";
    hdc.location = Location::no;
    s.disks = {vda, hdc};
    Element domain("domain");
    domain.append(Element("devices")).append(Element("graphics"), 1).set_attribute("passwd", "secret");
    s.domain = {domain};
    s.inactive_domain = {domain};
    return s;
}

std::string refusal(const std::string& name) {
    try {
        check_snapshot_name(name);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_request);
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST(SnapshotElement, is_as_libvirt_prints_it) {
    EXPECT_EQ(to_pretty_text(to_element(external())), R"(<domainsnapshot>
  <name>e1</name>
  <state>running</state>
  <parent>
    <name>i1</name>
  </parent>
  <creationTime>1795440556</creationTime>
  <memory snapshot='external' file='/vm/mem.e1'/>
  <disks>
    <disk name='vda' snapshot='external' type='file'>
      <driver type='qcow2'/>
      <source file='/vm/vda.e1'/>
    </disk>
    <disk name='hdc' snapshot='no'/>
  </disks>
  <domain>
    <devices>
      <graphics/>
    </devices>
  </domain>
  <inactiveDomain>
    <devices>
      <graphics/>
    </devices>
  </inactiveDomain>
</domainsnapshot>
)");
}

TEST(SnapshotElement, shows_passwords_when_asked) {
    const auto text = to_text(to_element(external(), {.security_info = true}));
    EXPECT_NE(text.find("<graphics passwd='secret'/>"), std::string::npos);
}

TEST(SnapshotElement, has_points_before_the_domain_in_records) {
    const auto text = to_pretty_text(to_element(external(), {.points = true}));
    EXPECT_NE(
        text.find("  <domsnap:points xmlns:domsnap='https://domsnap.invalid/xmlns/record/1' version='1'>\n"
                  "    <domsnap:point name='vda' file='/vm/vda.qcow2' format='qcow2'/>\n"
                  "  </domsnap:points>\n"
                  "  <domain>\n"),
        std::string::npos);
    EXPECT_EQ(to_text(to_element(external())).find("points"), std::string::npos);
}

TEST(SnapshotElement, has_what_is_kept_of_nvram_and_tpm_in_records_of_version_2) {
    Snapshot s = external();
    s.nvram = KeptState{"/s/e1.nvram"};
    s.tpm = KeptState{};
    const auto text = to_pretty_text(to_element(s, {.points = true}));
    EXPECT_NE(text.find(" version='2'>\n"
                        "    <domsnap:nvram file='/s/e1.nvram'/>\n"
                        "    <domsnap:tpm/>\n"
                        "    <domsnap:point name='vda' file='/vm/vda.qcow2' format='qcow2'/>\n"),
              std::string::npos);
    EXPECT_EQ(to_text(to_element(s)).find("nvram"), std::string::npos);
    EXPECT_EQ(s.own_files().size(), 2u); // the memory image and the copy of the NVRAM
    EXPECT_EQ(s.points().size(), 1u);
}

TEST(SnapshotElement, of_a_request_has_only_what_was_given) {
    Snapshot s;
    EXPECT_EQ(to_text(to_element(s, {.for_request = true})), "<domainsnapshot/>");
    s.has_description = s.has_disks = true;
    s.memory.file = "/x";
    EXPECT_EQ(to_pretty_text(to_element(s, {.for_request = true})),
              "<domainsnapshot>\n  <description/>\n  <memory file='/x'/>\n  <disks/>\n</domainsnapshot>\n");
}

TEST(SnapshotElement, names_a_block_overlay_by_its_device) {
    auto s = external();
    s.disks[0].type = "block";
    Element source("source");
    source.set_attribute("dev", "/dev/old");
    source.set_attribute("startupPolicy", "optional");
    s.disks[0].source_element = {source};
    EXPECT_NE(to_text(to_element(s)).find("<source dev='/vm/vda.e1' startupPolicy='optional'/>"),
              std::string::npos);
}

TEST(Snapshot, is_external_as_soon_as_one_part_is) {
    auto s = external();
    s.memory.location = Location::internal;
    EXPECT_TRUE(s.external());
    s.disks[0].location = Location::internal;
    EXPECT_FALSE(s.external());
}

TEST(Snapshot, compares_by_content) {
    auto a = external();
    const auto b = external();
    EXPECT_EQ(a, b);
    a.disks[0].point->tag = "x";
    EXPECT_FALSE(a == b);
    a = b;
    a.domain.front().child("devices")->child("graphics")->set_attribute("passwd", "other");
    EXPECT_FALSE(a == b);
}

TEST(SnapshotNames, are_checked_in_libvirts_words) {
    for (const char* good : {"a", ".hid", "a..b", "-x", "ä b", "…"})
        EXPECT_EQ(refusal(good), "accepted");
    EXPECT_EQ(refusal("a/b"), "invalid snapshot name 'a/b': name can't contain '/'");
    EXPECT_EQ(refusal(".."), "invalid snapshot name '..': name can't be '.' or '..'");
    EXPECT_EQ(refusal("a\nb"), "invalid snapshot name 'a\\x0ab': name can't contain control characters");
    EXPECT_EQ(refusal(""), "invalid snapshot name '': name can't be empty");
}

TEST(Words, are_libvirts) {
    for (const char* word : {"no", "internal", "external", "manual"})
        EXPECT_STREQ(to_string(*location_from(word)), word);
    EXPECT_FALSE(location_from("omitted"));
    EXPECT_FALSE(location_from("default"));
    for (const char* word : {"nostate", "running", "blocked", "paused", "shutdown", "shutoff", "crashed",
                             "pmsuspended", "disk-snapshot"})
        EXPECT_STREQ(to_string(*snapshot_state_from(word)), word);
    EXPECT_FALSE(snapshot_state_from("Running"));
}
