// What every QEMU does with its memory: out of a descriptor and into one.
#include "guest.h"

#include "base/error.h"
#include "os/file.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::qmp {
namespace {

using QmpMigration = Contract;

Migration wait_for_end(Client& qemu) {
    for (const auto deadline = soon(); !deadline.passed();) {
        const auto migration = query_migrate(qemu, soon());
        if (migration.status == "completed" || migration.status == "failed" ||
            migration.status == "cancelled")
            return migration;
        qemu.wait_event([](const Event&) { return false; }, Deadline::after(std::chrono::milliseconds(20)));
    }
    return {};
}

/// All that comes out of the pipe, read beside the test.
class Drain {
  public:
    Drain() {
        auto [read_end, write_end] = os::make_pipe();
        input = std::move(write_end);
        thread_ = std::thread([this, fd = std::move(read_end)] {
            for (std::string piece; !(piece = os::read_some(fd.get(), 1 << 20)).empty();)
                bytes_ += piece;
        });
    }
    ~Drain() {
        input.reset();
        if (thread_.joinable()) thread_.join();
    }
    std::string bytes() {
        input.reset();
        thread_.join();
        return bytes_;
    }
    os::Fd input;

  private:
    std::string bytes_;
    std::thread thread_;
};

std::string save_memory(Client& qemu) {
    Drain drain;
    give_fd(qemu, "stream", drain.input.get(), soon());
    drain.input.reset();
    set_migration_bandwidth_unlimited(qemu, soon());
    migrate_to_fd(qemu, "stream", soon());
    EXPECT_EQ(wait_for_end(qemu).status, "completed");
    return drain.bytes();
}

void feed(Client& qemu, const std::string& stream) {
    auto [read_end, write_end] = os::make_pipe();
    give_fd(qemu, "stream", read_end.get(), soon());
    read_end.reset();
    migrate_incoming_fd(qemu, "stream", soon());
    os::write_all(write_end.get(), stream.data(), stream.size(), "the pipe");
}

bool has_background_snapshot(Client& qemu) {
    return code_of([&] { set_migration_capabilities(qemu, {"background-snapshot"}, soon()); }) == "nothing";
}

TEST_P(QmpMigration, SavesAPausedGuestAndRestoresIt) {
    std::string stream;
    {
        Guest source(GetParam(), scratch, {});
        auto qemu = source.connect();
        EXPECT_EQ(query_migrate(qemu, soon()).status, "");
        cont(qemu, soon());
        stop(qemu, soon());
        stream = save_memory(qemu);
        EXPECT_EQ(query_status(qemu, soon()).status, "postmigrate");
        const auto migration = query_migrate(qemu, soon());
        EXPECT_GT(migration.transferred, 0u);
        EXPECT_GE(migration.total, 64u << 20);
        EXPECT_GE(migration.pages, (64u << 20) / 4096);
        cont(qemu, soon());
        EXPECT_TRUE(query_status(qemu, soon()).running);
    }
    EXPECT_TRUE(stream.starts_with("QEVM"));
    Guest target(GetParam(), scratch, {"-incoming", "defer"});
    auto qemu = target.connect();
    EXPECT_EQ(query_status(qemu, soon()).status, "inmigrate");
    feed(qemu, stream);
    EXPECT_EQ(wait_for_end(qemu).status, "completed");
    EXPECT_EQ(query_status(qemu, soon()).status, "paused");
    cont(qemu, soon());
    EXPECT_TRUE(query_status(qemu, soon()).running);
}

TEST_P(QmpMigration, TheBackgroundSnapshotLetsTheGuestRunOn) {
    Guest source(GetParam(), scratch, {});
    auto qemu = source.connect();
    if (!has_background_snapshot(qemu))
        GTEST_SKIP() << "this host gives QEMU no userfaultfd with write protection";
    cont(qemu, soon());
    qemu.take_events();
    const auto stream = save_memory(qemu);
    EXPECT_TRUE(stream.starts_with("QEVM"));
    EXPECT_TRUE(query_status(qemu, soon()).running);
    std::vector<std::string> names;
    for (const auto& event : qemu.take_events())
        names.push_back(event.name);
    EXPECT_EQ(names, (std::vector<std::string>{"STOP", "RESUME"}));
    Guest target(GetParam(), scratch, {"-incoming", "defer"});
    auto other = target.connect();
    feed(other, stream);
    EXPECT_EQ(wait_for_end(other).status, "completed");
    EXPECT_FALSE(query_status(other, soon()).running); // -S
}

TEST_P(QmpMigration, ABackgroundSnapshotOfAPausedGuestWakesItOnOldQemusOnly) {
    Guest source(GetParam(), scratch, {});
    auto qemu = source.connect();
    if (!has_background_snapshot(qemu))
        GTEST_SKIP() << "this host gives QEMU no userfaultfd with write protection";
    cont(qemu, soon());
    stop(qemu, soon());
    save_memory(qemu);
    EXPECT_EQ(query_status(qemu, soon()).running, qemu.version().starts_with("7."));
}

TEST_P(QmpMigration, SetsExactlyTheCapabilitiesThatAreNamed) {
    Guest guest(GetParam(), scratch, {});
    auto qemu = guest.connect();
    const auto enabled = [&] {
        std::vector<std::string> names;
        for (const auto& capability : qemu.run("query-migrate-capabilities", soon()))
            if (capability.at("state") == true) names.push_back(capability.at("capability"));
        return names;
    };
    set_migration_capabilities(qemu, {"release-ram", "validate-uuid"}, soon());
    EXPECT_EQ(enabled(), (std::vector<std::string>{"release-ram", "validate-uuid"}));
    set_migration_capabilities(qemu, {"validate-uuid"}, soon());
    EXPECT_EQ(enabled(), std::vector<std::string>{"validate-uuid"});
    EXPECT_EQ(code_of([&] { set_migration_capabilities(qemu, {"no-such"}, soon()); }), "refused-by-qemu");
    set_migration_capabilities(qemu, {}, soon());
    EXPECT_TRUE(enabled().empty());
}

TEST_P(QmpMigration, DescriptorsSurviveTheirClient) {
    Guest guest(GetParam(), scratch, {});
    Drain drain;
    {
        auto qemu = guest.connect();
        give_fd(qemu, "stream", drain.input.get(), soon());
    }
    auto qemu = guest.connect();
    migrate_to_fd(qemu, "stream", soon());
    EXPECT_EQ(wait_for_end(qemu).status, "completed");
    EXPECT_TRUE(drain.bytes().starts_with("QEVM"));
    EXPECT_EQ(message_of([&] { migrate_to_fd(qemu, "none", soon()); }),
              "QEMU refused 'migrate': Can't migrate the vm that was paused due to previous migration");
    cont(qemu, soon());
    EXPECT_EQ(message_of([&] { migrate_to_fd(qemu, "none", soon()); }),
              "QEMU refused 'migrate': File descriptor named 'none' has not been found");
    EXPECT_EQ(message_of([&] { migrate_incoming_fd(qemu, "none", soon()); }),
              "QEMU refused 'migrate-incoming': '-incoming' was not specified on the command line");
}

TEST_P(QmpMigration, ImagesAreInactiveAfterItUntilTheGuestGoesOn) {
    Guest guest(GetParam(), scratch,
                blockdev("a", scratch.qcow2("a")) + device("virtio-blk-pci,id=vda,drive=a"));
    auto qemu = guest.connect();
    cont(qemu, soon());
    save_memory(qemu);
    const auto take = [&] { transaction(qemu, {{TransactionAction::Kind::internal, "a", "s"}}, soon()); };
    EXPECT_EQ(message_of(take), "QEMU refused 'transaction': Block format 'qcow2' used by device 'a' does "
                                "not support internal snapshots");
    cont(qemu, soon());
    EXPECT_EQ(message_of(take), "nothing");
}

TEST_P(QmpMigration, DeviceStateAloneLeavesTheGuestAsItIs) {
    Guest guest(GetParam(), scratch,
                blockdev("a", scratch.qcow2("a")) + device("virtio-blk-pci,id=vda,drive=a"));
    auto qemu = guest.connect();
    cont(qemu, soon());
    stop(qemu, soon());
    EXPECT_TRUE(migration_blockers(qemu, soon()).empty());
    const auto file = scratch.path("state");
    os::write_file(file, "");
    save_device_state(qemu, file, soon());
    const auto state = os::read_file(file, 64 << 20);
    EXPECT_TRUE(state.starts_with(std::string("QEVM\0\0\0\3\4", 9))) << "a device comes first, and no RAM";
    EXPECT_EQ(state.find("pc.ram"), std::string::npos);
    EXPECT_EQ(state[state.size() - 6], '\x7e') << "the last section's footer";
    EXPECT_EQ(state.back(), '\0') << "the end mark, and no description";
    EXPECT_EQ(query_status(qemu, soon()).status, "paused");
    EXPECT_EQ(query_migrate(qemu, soon()).status, "") << "it was no migration";
    const auto take = [&] { transaction(qemu, {{TransactionAction::Kind::internal, "a", "s"}}, soon()); };
    EXPECT_EQ(message_of(take), "nothing") << "the images are QEMU's still";
    cont(qemu, soon());
    EXPECT_TRUE(query_status(qemu, soon()).running);
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpMigration, ::testing::ValuesIn(all_kinds()), name_of);

} // namespace
} // namespace domsnap::qmp
