// What every QEMU does with its run state, its events and its clients.
#include "guest.h"

#include "base/error.h"
#include "os/socket.h"
#include "qmp/capabilities.h"
#include "qmp/commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::qmp {
namespace {

using QmpMachine = Contract;

std::vector<std::string> names_of(const std::deque<Event>& events) {
    std::vector<std::string> names;
    for (const auto& event : events)
        names.push_back(event.name);
    return names;
}

TEST_P(QmpMachine, TellsWhoItIsAndWhetherItRuns) {
    const std::string uuid = "12345678-1234-4234-8234-123456789abc";
    Guest guest(GetParam(), scratch, {"-uuid", uuid});
    auto qemu = guest.connect();
    EXPECT_EQ(query_uuid(qemu, soon()), uuid);
    EXPECT_EQ(query_status(qemu, soon()).status, "prelaunch");
    EXPECT_FALSE(query_status(qemu, soon()).running);
    cont(qemu, soon());
    EXPECT_TRUE(query_status(qemu, soon()).running);
    stop(qemu, soon());
    EXPECT_EQ(query_status(qemu, soon()).status, "paused");
    quit(qemu, soon());
    EXPECT_TRUE(guest.ended(soon()));
}

TEST_P(QmpMachine, KeepsEventsInOrder) {
    Guest guest(GetParam(), scratch, {});
    auto qemu = guest.connect();
    for (int i = 0; i < 3; ++i) {
        cont(qemu, soon());
        stop(qemu, soon());
    }
    const auto first_stop = qemu.wait_event([](const Event& event) { return event.name == "STOP"; }, soon());
    ASSERT_TRUE(first_stop);
    const auto rest = qemu.take_events();
    EXPECT_EQ(names_of(rest), (std::vector<std::string>{"RESUME", "RESUME", "STOP", "RESUME", "STOP"}));
    for (size_t i = 1; i < rest.size(); ++i)
        EXPECT_LE(rest[i - 1].microseconds, rest[i].microseconds);
    EXPECT_TRUE(qemu.take_events().empty());
    const auto none =
        qemu.wait_event([](const Event&) { return true; }, Deadline::after(std::chrono::milliseconds(1)));
    EXPECT_FALSE(none);
}

TEST_P(QmpMachine, SaysWhatItCanDo) {
    Guest guest(GetParam(), scratch, {});
    auto qemu = guest.connect();
    const auto can = query_capabilities(qemu, soon());
    EXPECT_EQ(can.version,
              fmt::format("{}.{}{}", can.major, can.minor, can.version.substr(can.version.rfind('.'))));
    for (const auto* command :
         {"transaction", "snapshot-save", "blockdev-add", "getfd", "x-debug-query-block-graph"})
        EXPECT_TRUE(can.has(command)) << command;
    EXPECT_FALSE(can.has("no-such-command"));
    EXPECT_TRUE(can.background_snapshot());
    EXPECT_EQ(can.background_snapshot_must_be_drained(), can.major < 8);
    const auto q35 = resolve_machine(qemu, "q35", soon());
    EXPECT_TRUE(q35.starts_with("pc-q35-")) << q35;
    EXPECT_EQ(resolve_machine(qemu, q35, soon()), q35);
    EXPECT_EQ(resolve_machine(qemu, "no-such-machine", soon()), "");
}

TEST_P(QmpMachine, RefusesInItsOwnWords) {
    Guest guest(GetParam(), scratch, {});
    auto qemu = guest.connect();
    const auto words = [&](const char* command, const Json& arguments) {
        return message_of([&] { qemu.run(command, arguments, soon()); });
    };
    EXPECT_EQ(code_of([&] { qemu.run("no-such-command", soon()); }), "refused-by-qemu");
    EXPECT_EQ(
        words("no-such-command", Json()),
        "QEMU refused 'no-such-command': The command no-such-command has not been found (CommandNotFound)");
    EXPECT_EQ(words("cont", {{"foo", 1}}), "QEMU refused 'cont': Parameter 'foo' is unexpected");
    EXPECT_EQ(words("job-dismiss", Json::object()), "QEMU refused 'job-dismiss': Parameter 'id' is missing");
    EXPECT_EQ(words("job-dismiss", {{"id", 1}}),
              "QEMU refused 'job-dismiss': Invalid parameter type for 'id', expected: string");
    const Json action{{"type", "blockdev-snapshot"}, {"data", {{"node", "a"}, {"overlay", "b"}, {"x", 1}}}};
    EXPECT_EQ(words("transaction", {{"actions", {action}}}),
              "QEMU refused 'transaction': Parameter 'actions[0].data.x' is unexpected");
    EXPECT_EQ(words("job-dismiss", {{"id", "j"}}), "QEMU refused 'job-dismiss': Job not found");
}

TEST_P(QmpMachine, AnswersTheUsersOwnCommands) {
    Guest guest(GetParam(), scratch, {});
    auto qemu = guest.connect();
    const auto status =
        Json::parse(raw_command(qemu, R"({"execute": "query-status", "id": "mine"})", soon()));
    EXPECT_EQ(status.at("return").at("status"), "prelaunch");
    const auto refused = Json::parse(raw_command(qemu, R"({"execute": "no-such-command"})", soon()));
    EXPECT_EQ(refused.at("error").at("class"), "CommandNotFound");
    EXPECT_EQ(code_of([&] { raw_command(qemu, "query-status", soon()); }), "invalid-request");
    cont(qemu, soon());
    EXPECT_EQ(human_command(qemu, "info status", soon()), "VM status: running\r\n");
}

TEST_P(QmpMachine, ServesOneClientAtATime) {
    Guest guest(GetParam(), scratch, {});
    auto first = std::make_unique<Client>(guest.connect());
    const auto quickly = [] { return Deadline::after(std::chrono::milliseconds(300)); };
    EXPECT_EQ(code_of([&] { guest.connect(quickly()); }), "timed-out");
    EXPECT_EQ(query_status(*first, soon()).status, "prelaunch");
    first.reset();
    auto second = guest.connect();
    EXPECT_EQ(query_status(second, soon()).status, "prelaunch");
}

TEST_P(QmpMachine, DoesNotHangAThirdClientEither) {
    Guest guest(GetParam(), scratch, {});
    auto first = guest.connect();
    std::vector<os::Fd> waiting; // the door's queue of one, full
    const auto quickly = [] { return Deadline::after(std::chrono::milliseconds(300)); };
    for (int i = 0; i < 2; ++i)
        waiting.push_back(os::connect_unix(guest.socket(), quickly()));
    EXPECT_EQ(code_of([&] { guest.connect(quickly()); }), "timed-out");
    EXPECT_EQ(query_status(first, soon()).status, "prelaunch");
}

TEST_P(QmpMachine, ForgetsTheClientBefore) {
    Guest guest(GetParam(), scratch, {});
    {
        const auto rude = os::connect_unix(guest.socket());
        ASSERT_TRUE(os::wait_readable(rude.get(), soon()));
        os::send_with_fd(
            rude, "{\"execute\": \"qmp_capabilities\"}\n{\"execute\": \"query-commands\", \"id\": 1}\n", -1);
        os::send_with_fd(rude, "{\"execute\": \"query-sta", -1);
    }
    auto qemu = guest.connect();
    EXPECT_EQ(query_status(qemu, soon()).status, "prelaunch");
}

TEST_P(QmpMachine, SurvivesGarbage) {
    Guest guest(GetParam(), scratch, {});
    const auto socket = os::connect_unix(guest.socket());
    os::send_with_fd(
        socket, "garbage}\n[1, 2]\n{\"foo\": 1}\n{\"execute\": \"qmp_capabilities\", \"id\": \"end\"}\n", -1);
    std::string got;
    int errors = 0;
    for (LineFramer framer; got != "end";) {
        ASSERT_TRUE(os::wait_readable(socket.get(), soon()));
        framer.feed(os::read_some(socket.get(), 4096));
        while (const auto line = framer.next()) {
            const auto message = decode(*line);
            errors += kind_of(message) == MessageKind::failure;
            got = id_of(message).value_or("");
        }
    }
    EXPECT_GE(errors, 3);
}

INSTANTIATE_TEST_SUITE_P(Qemu, QmpMachine, ::testing::ValuesIn(all_kinds()), name_of);

} // namespace
} // namespace domsnap::qmp
