// What only the fake QEMU can do: fail when it is told to.
#include "guest.h"

#include "base/error.h"
#include "image/qemu_img.h"
#include "os/socket.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

using FakeQemu = Contract;

std::string disk_tags(const std::string& path) {
    std::string tags;
    for (const auto& snapshot : image::info(path, "qcow2").snapshots)
        tags += snapshot.tag + " ";
    return tags;
}

std::vector<std::string> one_disk(Scratch& scratch) {
    return blockdev("a", scratch.qcow2("a")) + device("virtio-blk-pci,id=vda,drive=a");
}
std::vector<TransactionAction> snapshot_of_a() { return {{TransactionAction::Kind::internal, "a", "s"}}; }

TEST_P(FakeQemu, RefusesWhenTold) {
    Guest guest(GetParam(), scratch, {}, "fail cont#2 not now");
    auto qemu = guest.connect();
    cont(qemu, soon());
    EXPECT_EQ(message_of([&] { cont(qemu, soon()); }), "QEMU refused 'cont': not now");
    cont(qemu, soon());
}

TEST_P(FakeQemu, DoesButDoesNotAnswer) {
    Guest guest(GetParam(), scratch, {}, "silent cont");
    auto qemu = guest.connect();
    EXPECT_EQ(code_of([&] { cont(qemu, Deadline::after(std::chrono::milliseconds(200))); }),
              "outcome-unknown");
    EXPECT_TRUE(query_status(qemu, soon()).running);
}

TEST_P(FakeQemu, AnswersLate) {
    Guest guest(GetParam(), scratch, {}, "late cont 300");
    auto qemu = guest.connect();
    EXPECT_EQ(code_of([&] { cont(qemu, Deadline::after(std::chrono::milliseconds(100))); }),
              "outcome-unknown");
    guest.set_faults("");
    EXPECT_TRUE(query_status(qemu, soon()).running); // and the late answer is not taken for this one's
    EXPECT_EQ(query_uuid(qemu, soon()), "00000000-0000-0000-0000-000000000000");
}

TEST_P(FakeQemu, DiesBeforeAfterAndAfterTheAnswer) {
    const auto path = scratch.qcow2("a");
    const auto arguments = blockdev("a", path) + device("virtio-blk-pci,id=vda,drive=a");
    const auto try_it = [&](const std::string& fault) {
        Guest guest(GetParam(), scratch, arguments, fault);
        auto qemu = guest.connect();
        const auto code = code_of([&] { transaction(qemu, snapshot_of_a(), soon()); });
        EXPECT_TRUE(guest.ended(soon()));
        return code;
    };
    EXPECT_EQ(try_it("exit-before transaction"), "io");
    EXPECT_EQ(disk_tags(path), "");
    EXPECT_EQ(try_it("exit-after transaction"), "io");
    EXPECT_EQ(disk_tags(path), "s ");
    must_run({image::program(), "snapshot", "-d", "s", path});
    EXPECT_EQ(try_it("exit-after-answer transaction"), "nothing");
    EXPECT_EQ(disk_tags(path), "s ");
}

TEST_P(FakeQemu, FailsJobs) {
    Guest guest(GetParam(), scratch, one_disk(scratch), "job-fail snapshot-save No space left on device");
    auto qemu = guest.connect();
    snapshot_save(qemu, "job", "s", "a", {"a"}, soon());
    EXPECT_EQ(message_of([&] { finish_job(qemu, "job", {}, {}, soon()); }),
              "QEMU's job 'job' (snapshot-save) failed: No space left on device");
    EXPECT_EQ(disk_tags(scratch.path("a")), "");
}

TEST_P(FakeQemu, BreaksTheStreamOff) {
    Guest guest(GetParam(), scratch, {}, "enospc migrate");
    auto qemu = guest.connect();
    auto [read_end, write_end] = os::make_pipe();
    give_fd(qemu, "stream", write_end.get(), soon());
    write_end.reset();
    migrate_to_fd(qemu, "stream", soon());
    while (!os::read_some(read_end.get(), 1 << 20).empty()) {
    }
    for (const auto deadline = soon(); query_migrate(qemu, soon()).status != "failed";)
        ASSERT_FALSE(deadline.passed());
    EXPECT_NE(query_migrate(qemu, soon()).error.find("No space left"), std::string::npos);
    EXPECT_EQ(query_status(qemu, soon()).status, "prelaunch");
}

TEST_P(FakeQemu, CarriesItsMemoryOver) {
    auto [read_end, write_end] = os::make_pipe(1 << 20);
    Guest source(GetParam(), scratch, {}), target(GetParam(), scratch, {"-incoming", "defer"});
    auto from = source.connect(), to = target.connect();
    human_command(from, "fake-write 5000 written by the guest", soon());
    give_fd(from, "stream", write_end.get(), soon());
    give_fd(to, "stream", read_end.get(), soon());
    write_end.reset();
    read_end.reset();
    migrate_incoming_fd(to, "stream", soon());
    migrate_to_fd(from, "stream", soon());
    for (const auto deadline = soon(); query_migrate(to, soon()).status != "completed";)
        ASSERT_FALSE(deadline.passed());
    EXPECT_EQ(human_command(to, "fake-read 5000 20", soon()), "written by the guest");
}

TEST_P(FakeQemu, ObeysAPowerButtonUnlessDeaf) {
    Guest guest(GetParam(), scratch, {}, "deaf system_powerdown");
    auto qemu = guest.connect();
    cont(qemu, soon());
    system_powerdown(qemu, soon());
    EXPECT_TRUE(query_status(qemu, soon()).running);
    guest.set_faults("");
    system_powerdown(qemu, soon());
    EXPECT_TRUE(guest.ended(soon()));
}

TEST_P(FakeQemu, TakesACommandLineAsQemuDoes) {
    Guest missing(GetParam(), scratch, blockdev("a", "/no/such/file"));
    EXPECT_TRUE(missing.ended(soon()));
    EXPECT_NE(missing.words().find("Could not open '/no/such/file': No such file or directory"),
              std::string::npos);
    Guest wrong(GetParam(), scratch, blockdev("a", scratch.raw("r")));
    EXPECT_TRUE(wrong.ended(soon()));
    EXPECT_NE(wrong.words().find("Image is not in qcow2 format"), std::string::npos);
    Guest unknown(GetParam(), scratch, blockdev("a", scratch.qcow2("q"), R"("no-such-option": 1)"));
    EXPECT_TRUE(unknown.ended(soon()));
    EXPECT_NE(unknown.words().find("Parameter 'no-such-option' is unexpected"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Qemu, FakeQemu, ::testing::ValuesIn(fake_kinds()), name_of);

TEST(FakeQemuVersions, DifferAsTheRealOnesDo) {
    Scratch scratch;
    const auto kinds = fake_kinds();
    Guest older(kinds[0], scratch, {}), newer(kinds[1], scratch, {});
    auto old_qemu = older.connect(), new_qemu = newer.connect();
    const Json old_option{{"uri", "fd:none"}, {"blk", true}}; // gone since QEMU 9.1
    const auto words = [&](Client& qemu) {
        return message_of([&] { qemu.run("migrate", old_option, soon()); });
    };
    EXPECT_EQ(words(old_qemu), "QEMU refused 'migrate': File descriptor named 'none' has not been found");
    EXPECT_EQ(words(new_qemu), "QEMU refused 'migrate': Parameter 'blk' is unexpected");
    EXPECT_TRUE(old_qemu.run("query-status", soon()).contains("singlestep"));
    EXPECT_FALSE(new_qemu.run("query-status", soon()).contains("singlestep"));
}

} // namespace
} // namespace domsnap::qmp
