// What every QEMU does with its block graph and its transactions.
#include "guest.h"

#include "base/error.h"
#include "os/file.h"
#include "qmp/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

using QmpBlock = Contract;
using Kinds = TransactionAction::Kind;

Json overlay_options(const std::string& node, const std::string& path) {
    return {{"driver", "qcow2"},
            {"node-name", node},
            {"backing", nullptr},
            {"file", {{"driver", "file"}, {"filename", path}}}};
}

/// Three disks: a on virtio, b on SATA (both qcow2), r on SCSI (raw).
std::vector<std::string> three_disks(Scratch& scratch) {
    return blockdev("a", scratch.qcow2("a")) + blockdev("b", scratch.qcow2("b")) +
           blockdev("r", scratch.raw("r"), "", "raw") + device("virtio-blk-pci,id=vda,drive=a") +
           device("ide-hd,id=sda,drive=b,bus=ide.0") + device("virtio-scsi-pci,id=scsi") +
           device("scsi-hd,id=sdb,drive=r,bus=scsi.0");
}

TEST_P(QmpBlock, ShowsChainsAndDevices) {
    const auto base = scratch.qcow2("base"), top = scratch.overlay("top", base);
    Guest guest(GetParam(), scratch,
                blockdev("b", base, R"("read-only": true)") + blockdev("t", top, R"("backing": "b")") +
                    blockdev("r", scratch.raw("r"), "", "raw") + device("virtio-blk-pci,id=vda,drive=t") +
                    device("ide-hd,id=sda,drive=r,bus=ide.0") + device("ide-cd,id=cd0,bus=ide.1"));
    auto qemu = guest.connect();
    const auto lower = node_of(qemu, "b"), upper = node_of(qemu, "t"), raw = node_of(qemu, "r");
    EXPECT_EQ(upper.backing_node, "b");
    EXPECT_EQ(upper.file, top);
    EXPECT_EQ(upper.driver, "qcow2");
    EXPECT_FALSE(upper.read_only);
    EXPECT_EQ(upper.virtual_size, 16u << 20);
    EXPECT_EQ(lower.file, base);
    EXPECT_TRUE(lower.read_only);
    EXPECT_EQ(lower.backing_node, "");
    EXPECT_EQ(raw.driver, "raw");
    const std::map<std::string, std::string> devices{{"vda", "t"}, {"sda", "r"}, {"cd0", ""}};
    EXPECT_EQ(query_device_nodes(qemu, soon()), devices);
}

TEST_P(QmpBlock, FollowsTheHeaderWhereNoBackingNodeIsNamed) {
    const auto base = scratch.qcow2("base"), top = scratch.overlay("top", base);
    Guest guest(GetParam(), scratch, blockdev("t", top));
    auto qemu = guest.connect();
    const auto upper = node_of(qemu, "t");
    ASSERT_NE(upper.backing_node, "");
    EXPECT_EQ(node_of(qemu, upper.backing_node).file, base);
}

TEST_P(QmpBlock, AddsAndRemovesNodes) {
    Guest guest(GetParam(), scratch, three_disks(scratch));
    auto qemu = guest.connect();
    const auto path = scratch.qcow2("n");
    blockdev_add(qemu, overlay_options("n", path), soon());
    EXPECT_EQ(node_of(qemu, "n").file, path);
    EXPECT_EQ(message_of([&] { blockdev_add(qemu, overlay_options("n", path), soon()); }),
              "QEMU refused 'blockdev-add': Duplicate nodes with node-name='n'");
    EXPECT_EQ(message_of([&] { blockdev_add(qemu, overlay_options("m", "/no/such"), soon()); }),
              "QEMU refused 'blockdev-add': Could not open '/no/such': No such file or directory");
    blockdev_del(qemu, "n", soon());
    EXPECT_EQ(node_of(qemu, "n").node_name, "");
    EXPECT_EQ(message_of([&] { blockdev_del(qemu, "n", soon()); }),
              "QEMU refused 'blockdev-del': Failed to find node with node-name='n'");
    EXPECT_EQ(message_of([&] { blockdev_del(qemu, "a", soon()); }),
              "QEMU refused 'blockdev-del': Node a is in use");
}

TEST_P(QmpBlock, SwitchesDisksToOverlaysAndTakesInternalSnapshotsAtOnce) {
    Guest guest(GetParam(), scratch, three_disks(scratch));
    auto qemu = guest.connect();
    const auto overlay = scratch.overlay("oa", scratch.path("a"));
    blockdev_add(qemu, overlay_options("oa", overlay), soon());
    transaction(qemu, {{Kinds::overlay, "a", "oa"}, {Kinds::internal, "b", "snap"}}, soon());
    EXPECT_EQ(query_device_nodes(qemu, soon()).at("vda"), "oa");
    EXPECT_EQ(query_device_nodes(qemu, soon()).at("sda"), "b");
    EXPECT_EQ(node_of(qemu, "oa").backing_node, "a");
    EXPECT_EQ(node_of(qemu, "oa").file, overlay);
    EXPECT_TRUE(node_of(qemu, "a").read_only);
    EXPECT_EQ(node_of(qemu, "b").internal_snapshots, std::vector<std::string>{"snap"});
    EXPECT_EQ(message_of([&] { blockdev_del(qemu, "a", soon()); }),
              "QEMU refused 'blockdev-del': Node 'a' is busy: node is used as backing hd of 'oa'");
    EXPECT_EQ(message_of([&] { transaction(qemu, {{Kinds::overlay, "a", "oa"}}, soon()); }),
              "QEMU refused 'transaction': Node 'a' is busy: node is used as backing hd of 'oa'");
}

TEST_P(QmpBlock, UndoesATransactionThatFailsButLeavesTheFiles) {
    Guest guest(GetParam(), scratch, three_disks(scratch));
    auto qemu = guest.connect();
    const auto overlay = scratch.overlay("oa", scratch.path("a"));
    blockdev_add(qemu, overlay_options("oa", overlay), soon());
    const std::vector<TransactionAction> actions{
        {Kinds::overlay, "a", "oa"}, {Kinds::internal, "b", "snap"}, {Kinds::internal, "r", "snap"}};
    EXPECT_EQ(message_of([&] { transaction(qemu, actions, soon()); }),
              "QEMU refused 'transaction': Block format 'raw' used by device 'r' does not support internal "
              "snapshots");
    EXPECT_EQ(query_device_nodes(qemu, soon()).at("vda"), "a");
    EXPECT_FALSE(node_of(qemu, "a").read_only);
    EXPECT_EQ(node_of(qemu, "oa").backing_node, "");
    EXPECT_TRUE(os::exists(overlay));
    EXPECT_TRUE(node_of(qemu, "b").internal_snapshots.empty());
    blockdev_del(qemu, "oa", soon());
}

TEST_P(QmpBlock, ReopensAFrozenImageForWriting) {
    const auto base = scratch.qcow2("base");
    const Json file{{"driver", "file"}, {"node-name", "f"}, {"filename", base}, {"auto-read-only", true}};
    Guest guest(GetParam(), scratch, {"-blockdev", file.dump()});
    auto qemu = guest.connect();
    Json frozen{
        {"driver", "qcow2"}, {"node-name", "b"}, {"file", "f"}, {"backing", nullptr}, {"read-only", true}};
    blockdev_add(qemu, frozen, soon());
    EXPECT_TRUE(node_of(qemu, "b").read_only);
    frozen["read-only"] = false;
    qemu.run("blockdev-reopen", {{"options", {frozen}}}, soon());
    EXPECT_FALSE(node_of(qemu, "b").read_only);
    transaction(qemu, {{Kinds::internal, "b", "now"}}, soon());
    frozen["read-only"] = true;
    qemu.run("blockdev-reopen", {{"options", {frozen}}}, soon());
    EXPECT_TRUE(node_of(qemu, "b").read_only);
    frozen["node-name"] = "none";
    EXPECT_EQ(message_of([&] { qemu.run("blockdev-reopen", {{"options", {frozen}}}, soon()); }),
              "QEMU refused 'blockdev-reopen': Failed to find node with node-name='none'");
}

TEST_P(QmpBlock, RefusesASnapshotNameThatIsTaken) {
    Guest guest(GetParam(), scratch, three_disks(scratch));
    auto qemu = guest.connect();
    transaction(qemu, {{Kinds::internal, "b", "taken"}}, soon());
    const std::vector<TransactionAction> both{{Kinds::internal, "a", "taken"},
                                              {Kinds::internal, "b", "taken"}};
    EXPECT_EQ(message_of([&] { transaction(qemu, both, soon()); }),
              "QEMU refused 'transaction': Snapshot with name 'taken' already exists on device 'b'");
    EXPECT_TRUE(node_of(qemu, "a").internal_snapshots.empty());
    EXPECT_EQ(message_of([&] { transaction(qemu, {{Kinds::internal, "sda", "x"}}, soon()); }),
              "QEMU refused 'transaction': Cannot find device='sda' nor node-name='sda'");
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpBlock, ::testing::ValuesIn(all_kinds()), name_of);

} // namespace
} // namespace domsnap::qmp
