// A domain's document and its view stay in step.
#include "model/domain.h"

#include "base/error.h"

#include <gtest/gtest.h>

using namespace domsnap;
using namespace domsnap::model;

namespace {

Element document() {
    Element domain("domain");
    domain.set_attribute("type", "kvm");
    domain.append(Element("name")).set_text("lab");
    auto& memory = domain.append(Element("memory"));
    memory.set_attribute("unit", "MiB");
    memory.set_text("64");
    auto& disk = domain.append(Element("devices")).append(Element("disk"), 1);
    disk.append(Element("target"), 2).set_attribute("dev", "vda");
    return domain;
}

} // namespace

TEST(Domain, takes_an_inactive_domain_for_a_domain) {
    auto inactive = document();
    inactive.name = "inactiveDomain";
    EXPECT_EQ(domain_from(inactive).document.name, "domain");
    inactive.name = "network";
    EXPECT_THROW(static_cast<void>(domain_from(inactive)), Error);
}

TEST(Domain, gets_a_source_where_there_was_none) {
    auto domain = domain_from(document());
    EXPECT_TRUE(domain.disks[0].empty());
    set_disk_source(domain, "vda", "file", "/a.qcow2", "qcow2");
    EXPECT_EQ(to_text(*domain.document.at("devices/disk")), "<disk type='file'>\n"
                                                            "      <driver name='qemu' type='qcow2'/>\n"
                                                            "      <source file='/a.qcow2'/>\n"
                                                            "      <target dev='vda'/>\n"
                                                            "    </disk>");
    EXPECT_EQ(domain_from(domain.document).disks[0].source, "/a.qcow2");
    EXPECT_EQ(domain.disks[0].format, "qcow2");
    EXPECT_THROW(set_disk_source(domain, "vdb", "file", "/b", "raw"), Error);
}

TEST(Domain, gets_uuid_machine_and_name_where_libvirt_writes_them) {
    auto domain = domain_from(document());
    set_uuid(domain, "41dd38ec-050b-4454-a97f-1188824721c1");
    set_machine(domain, "pc-q35-7.2");
    set_name(domain, "renamed");
    const auto again = domain_from(domain.document);
    EXPECT_EQ(again.uuid, domain.uuid);
    EXPECT_EQ(again.machine, "pc-q35-7.2");
    EXPECT_EQ(again.name, "renamed");
    EXPECT_EQ(domain.document.elements()[1]->name, "uuid");
    EXPECT_EQ(to_pretty_text(domain.document), to_text(domain.document) + "\n");
    EXPECT_THROW(set_name(domain, "a/b"), Error);
}

TEST(Domain, finds_a_disk_by_path_only_if_one_has_it) {
    Domain domain;
    Disk disk;
    disk.target = "vda";
    disk.source = "/a";
    domain.disks = {disk, disk};
    domain.disks[1].target = "vdb";
    EXPECT_EQ(domain.find_disk("/a"), nullptr);
    EXPECT_EQ(domain.find_disk("vdb"), &domain.disks[1]);
    domain.disks[1].source = "/b";
    EXPECT_EQ(domain.find_disk("/b"), &domain.disks[1]);
}
