// What every QEMU does with its jobs: snapshots with memory, merges, and how they end.
#include "guest.h"

#include "base/error.h"
#include "image/qemu_img.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

void finish(Client& qemu, const std::string& job) { finish_job(qemu, job, {}, {}, soon()); }

void guest_writes(Client& qemu, const std::string& node, const std::string& what) {
    const auto words = human_command(qemu, fmt::format("qemu-io {} \"{}\"", node, what), soon());
    EXPECT_TRUE(words.empty() || words.find("wrote") != std::string::npos)
        << words; // QEMU prints it on its stdout
}

class QmpSnapshotJobs : public Contract {
  protected:
    void SetUp() override {
        Contract::SetUp();
        if (IsSkipped()) return;
        guest.emplace(GetParam(), scratch,
                      blockdev("a", scratch.qcow2("a")) + blockdev("b", scratch.qcow2("b")) +
                          blockdev("r", scratch.raw("r"), "", "raw") +
                          device("virtio-blk-pci,id=vda,drive=a,share-rw=on") +
                          device("virtio-blk-pci,id=vdb,drive=b") + device("virtio-blk-pci,id=vdc,drive=r"));
        qemu.emplace(guest->connect());
    }
    void save(const std::string& tag, const std::string& vmstate, const std::vector<std::string>& nodes) {
        snapshot_save(*qemu, "job", tag, vmstate, nodes, soon());
        finish(*qemu, "job");
    }
    void load(const std::string& tag, const std::vector<std::string>& nodes) {
        snapshot_load(*qemu, "job", tag, nodes.front(), nodes, soon());
        finish(*qemu, "job");
    }
    std::optional<Guest> guest;
    std::optional<Client> qemu;
};

TEST_P(QmpSnapshotJobs, SaveLoadAndDelete) {
    guest_writes(*qemu, "a", "write -P 1 0 64k");
    save("one", "a", {"a", "b"});
    EXPECT_EQ(node_of(*qemu, "a").internal_snapshots, std::vector<std::string>{"one"});
    EXPECT_EQ(node_of(*qemu, "b").internal_snapshots, std::vector<std::string>{"one"});
    const auto infos = image::info(scratch.path("a"), "qcow2").snapshots;
    ASSERT_EQ(infos.size(), 1u);
    EXPECT_GT(infos[0].vm_state_size, 0u);
    EXPECT_EQ(image::info(scratch.path("b"), "qcow2").snapshots.at(0).vm_state_size, 0u);
    guest_writes(*qemu, "a", "write -P 2 0 64k");
    load("one", {"a", "b"});
    EXPECT_EQ(query_status(*qemu, soon()).status, "prelaunch");
    snapshot_delete(*qemu, "job", "one", {"a", "b"}, soon());
    finish(*qemu, "job");
    EXPECT_TRUE(node_of(*qemu, "a").internal_snapshots.empty());
    EXPECT_TRUE(node_of(*qemu, "b").internal_snapshots.empty());
    snapshot_delete(*qemu, "job", "never", {"a", "b"}, soon());
    finish(*qemu, "job"); // a missing tag is no error
    quit(*qemu, soon());
    ASSERT_TRUE(guest->ended(soon()));
    EXPECT_TRUE(holds(scratch.path("a"), 1, "0 64k"));
}

TEST_P(QmpSnapshotJobs, SavingPausesARunningGuestAndGoesOn) {
    cont(*qemu, soon());
    qemu->take_events();
    save("one", "a", {"a", "b"});
    EXPECT_TRUE(query_status(*qemu, soon()).running);
    std::vector<std::string> names;
    for (const auto& event : qemu->take_events())
        if (event.name == "STOP" || event.name == "RESUME") names.push_back(event.name);
    EXPECT_EQ(names, (std::vector<std::string>{"STOP", "RESUME"}));
}

TEST_P(QmpSnapshotJobs, FailuresCarryQemusWordsAndLeaveNoJob) {
    save("one", "a", {"a", "b"});
    const auto words = [&](const auto& body) { return message_of(body); };
    EXPECT_EQ(
        words([&] { save("one", "a", {"a", "b"}); }),
        "QEMU's job 'job' (snapshot-save) failed: Snapshot 'one' already exists in one or more devices");
    EXPECT_EQ(
        words([&] { save("two", "a", {"a", "r"}); }),
        "QEMU's job 'job' (snapshot-save) failed: Device 'r' is writable but does not support snapshots");
    EXPECT_EQ(words([&] { save("two", "b", {"a"}); }),
              "QEMU's job 'job' (snapshot-save) failed: vmstate block device 'b' does not exist");
    EXPECT_EQ(words([&] { save("two", "zz", {"a", "zz"}); }),
              "QEMU's job 'job' (snapshot-save) failed: No block device node 'zz'");
    EXPECT_EQ(code_of([&] { save("one", "a", {"a", "b"}); }), "refused-by-qemu");
    EXPECT_TRUE(query_jobs(*qemu, soon()).empty());
    EXPECT_EQ(node_of(*qemu, "a").internal_snapshots, std::vector<std::string>{"one"});
}

TEST_P(QmpSnapshotJobs, ARefusedLoadStopsARunningGuest) {
    transaction(*qemu, {{TransactionAction::Kind::internal, "a", "disk-only"}}, soon());
    cont(*qemu, soon());
    EXPECT_EQ(
        message_of([&] { load("never", {"a", "b"}); }),
        "QEMU's job 'job' (snapshot-load) failed: Snapshot 'never' does not exist in one or more devices");
    EXPECT_EQ(query_status(*qemu, soon()).status, "restore-vm");
    cont(*qemu, soon());
    EXPECT_TRUE(query_status(*qemu, soon()).running);
    EXPECT_EQ(message_of([&] { load("disk-only", {"a"}); }),
              "QEMU's job 'job' (snapshot-load) failed: This is a disk-only snapshot. Revert to it  offline "
              "using qemu-img");
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpSnapshotJobs, ::testing::ValuesIn(all_kinds()), name_of);

/// Three images, base (1 from 4M to 12M) <- middle <- top (3 at 2M), all named, of no device.
class QmpMergeJobs : public Contract {
  protected:
    void SetUp() override {
        Contract::SetUp();
        if (IsSkipped()) return;
        base = scratch.qcow2("base");
        middle = scratch.overlay("middle", base);
        top = scratch.overlay("top", middle);
        write_image(base, "write -P 1 4M 8M");
        guest.emplace(GetParam(), scratch,
                      blockdev("base", base) + blockdev("middle", middle, R"("backing": "base")") +
                          blockdev("top", top, R"("backing": "middle")"));
        qemu.emplace(guest->connect());
        guest_writes(*qemu, "top", "write -P 3 2M 64k");
    }
    /// A stream that takes minutes until its speed is lifted.
    void start_slow_stream() {
        qemu->run("block-stream",
                  {{"job-id", "job"}, {"device", "top"}, {"auto-dismiss", false}, {"speed", 65536}}, soon());
    }
    void end_guest() {
        quit(*qemu, soon());
        ASSERT_TRUE(guest->ended(soon()));
    }
    std::string base, middle, top;
    std::optional<Guest> guest;
    std::optional<Client> qemu;
};

TEST_P(QmpMergeJobs, CommitsTheActiveLayer) {
    uint64_t last = 0;
    block_commit(*qemu, "job", "top", "top", "middle", "ignored there", soon());
    finish_job(*qemu, "job", [&](uint64_t done, uint64_t) { last = done; }, {}, soon());
    EXPECT_GT(last, 0u);
    EXPECT_FALSE(find_job(*qemu, "job", soon()));
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "middle");
    blockdev_del(*qemu, "top", soon());
    end_guest();
    EXPECT_TRUE(holds(middle, 3, "2M 64k"));
    EXPECT_EQ(image::info(middle, "qcow2").backing_path, base);
}

TEST_P(QmpMergeJobs, CommitsAnIntermediateLayer) {
    block_commit(*qemu, "job", "top", "middle", "base", base, soon());
    finish(*qemu, "job");
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "base");
    EXPECT_EQ(node_of(*qemu, "top").file, top);
    blockdev_del(*qemu, "middle", soon());
    end_guest();
    EXPECT_EQ(image::info(top, "qcow2").backing_path, base);
    EXPECT_TRUE(holds(top, 3, "2M 64k"));
}

TEST_P(QmpMergeJobs, StreamsOntoABase) {
    block_stream(*qemu, "job", "top", "base", base, soon());
    finish(*qemu, "job");
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "base");
    end_guest();
    EXPECT_EQ(image::info(top, "qcow2").backing_path, base);
    EXPECT_TRUE(holds(top, 3, "2M 64k"));
}

TEST_P(QmpMergeJobs, StreamsTheWholeChain) {
    block_stream(*qemu, "job", "top", "", "", soon());
    finish(*qemu, "job");
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "");
    end_guest();
    EXPECT_EQ(image::info(top, "qcow2").backing_path, "");
    EXPECT_TRUE(holds(top, 3, "2M 64k"));
    EXPECT_TRUE(holds(top, 1, "4M 8M"));
}

TEST_P(QmpMergeJobs, StopsWhenAsked) {
    start_slow_stream();
    const auto stop_at_once = [] { return true; };
    EXPECT_EQ(code_of([&] { finish_job(*qemu, "job", {}, stop_at_once, soon()); }), "cancelled");
    EXPECT_TRUE(query_jobs(*qemu, soon()).empty());
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "middle");
    end_guest();
    EXPECT_EQ(image::info(top, "qcow2").backing_path, middle);
}

TEST_P(QmpMergeJobs, OutlivesItsClient) {
    start_slow_stream();
    qemu.reset();
    qemu.emplace(guest->connect());
    const auto job = find_job(*qemu, "job", soon());
    ASSERT_TRUE(job);
    EXPECT_EQ(job->status, "running");
    EXPECT_EQ(job->type, "stream");
    qemu->run("block-job-set-speed", {{"device", "job"}, {"speed", 0}}, soon());
    finish(*qemu, "job");
    EXPECT_EQ(node_of(*qemu, "top").backing_node, "");
}

TEST_P(QmpMergeJobs, RefusesWhatIsNoChain) {
    const auto words = [&](const std::string& device_node, const std::string& top_node,
                           const std::string& base_node) {
        return message_of([&] { block_commit(*qemu, "job", device_node, top_node, base_node, "", soon()); });
    };
    EXPECT_EQ(words("top", "top", "top-base"),
              "QEMU refused 'block-commit': Cannot find device='' nor node-name='top-base'");
    EXPECT_EQ(words("middle", "middle", "base"), "QEMU refused 'block-commit': Need a root block node");
    EXPECT_EQ(words("none", "none", "base"),
              "QEMU refused 'block-commit': Device 'none' not found (DeviceNotFound)");
    EXPECT_EQ(code_of([&] { finish(*qemu, "job"); }), "outcome-unknown");
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpMergeJobs, ::testing::ValuesIn(all_kinds()), name_of);

} // namespace
} // namespace domsnap::qmp
