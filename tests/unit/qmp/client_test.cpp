// The client against a peer that says whatever the test wants.
#include "guest.h"
#include "os/socket.h"
#include "qmp/client.h"

#include <nlohmann/json.hpp>
#include <thread>

namespace domsnap::qmp {
namespace {

const std::string greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 1, "minor": 0, "major": 9}}, "capabilities": ["oob"]}})";

/// A QEMU that follows a script: for each command that it gets, the next list of lines. $ID becomes the
/// command's id.
class Peer {
  public:
    explicit Peer(std::vector<std::string> script, std::string first = greeting) {
        auto [ours, theirs] = os::make_socket_pair();
        socket = std::move(ours);
        thread_ = std::thread(
            [fd = std::move(theirs), lines = std::move(script), first] { serve(fd, lines, first); });
    }
    ~Peer() {
        socket.reset();
        thread_.join();
    }
    os::Fd socket;

  private:
    static void serve(const os::Fd& fd, const std::vector<std::string>& script, const std::string& first) {
        LineFramer framer;
        send(fd, first);
        for (const auto& answer : script) {
            std::optional<std::string> line;
            while (!(line = framer.next())) {
                const auto bytes = os::read_some(fd.get(), 4096);
                if (bytes.empty()) return;
                framer.feed(bytes);
            }
            auto text = answer;
            const auto id = decode(*line).at("id").dump();
            for (size_t at; (at = text.find("$ID")) != std::string::npos;)
                text.replace(at, 3, id);
            if (text == "close") return;
            send(fd, text);
        }
        while (!os::read_some(fd.get(), 4096).empty()) {
        }
    }
    static void send(const os::Fd& fd, const std::string& text) {
        if (!text.empty()) os::send_with_fd(fd, text + "\r\n", -1);
    }
    std::thread thread_;
};

const std::string yes = R"({"return": {}, "id": $ID})";
Deadline at_once() { return Deadline::after(std::chrono::milliseconds(50)); }

TEST(QmpClient, IgnoresAnswersToOthers) {
    Peer peer({R"({"return": 1, "id": "domsnap-of-another-1"})"
               "\n" +
                   yes,
               R"({"error": {"class": "GenericError", "desc": "stray"}})"
               "\n"
               R"({"return": 2, "id": 7})"
               "\n"
               R"({"return": {"mine": true}, "id": $ID})"});
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(qemu.run("x", soon()).at("mine"), true);
    EXPECT_EQ(qemu.version(), "9.0.1");
}

TEST(QmpClient, ToleratesWordsBeforeTheGreeting) {
    Peer peer({yes}, R"({"event": "STOP"})"
                     "\n"
                     R"({"return": {}, "id": "x"})"
                     "\n" +
                         greeting);
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(qemu.take_events().size(), 1u);
}

TEST(QmpClient, KeepsEventsThatComeBetween) {
    Peer peer({yes, R"({"event": "A"})"
                    "\n"
                    R"({"event": "B"})"
                    "\n"
                    R"({"return": 5, "id": $ID})"
                    "\n"
                    R"({"event": "C"})"});
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(qemu.run("x", soon()), 5);
    const auto named = [](const char* name) {
        return [name](const Event& event) { return event.name == name; };
    };
    ASSERT_TRUE(qemu.wait_event(named("C"), soon()));
    EXPECT_FALSE(qemu.wait_event(named("C"), at_once()));
    ASSERT_TRUE(qemu.wait_event(named("A"), soon()));
    const auto rest = qemu.take_events();
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].name, "B");
}

TEST(QmpClient, DoesNotKnowWhatBecameOfACommandWithoutAnswer) {
    Peer peer({yes, "",
               R"({"return": "late", "id": "whoever"})"
               "\n"
               R"({"return": "right", "id": $ID})"});
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(code_of([&] { qemu.run("x", at_once()); }), "outcome-unknown");
    EXPECT_EQ(qemu.run("y", soon()), "right");
    EXPECT_EQ(code_of([&] { qemu.run("z", Deadline::after(std::chrono::milliseconds(0))); }), "timed-out");
}

TEST(QmpClient, TellsThatQemuIsGone) {
    Peer peer({yes, "close"});
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(code_of([&] { qemu.run("x", soon()); }), "io");
    EXPECT_EQ(code_of([&] { qemu.run("y", soon()); }), "io");
    EXPECT_EQ(code_of([&] { qemu.wait_event([](const Event&) { return true; }, soon()); }), "io");
}

TEST(QmpClient, RefusesWhatIsNotQmp) {
    for (const auto* words : {"HTTP/1.1 400 Bad Request", "{}", "[]", R"({"QMP": {}})"}) {
        Peer peer({yes}, words);
        EXPECT_EQ(code_of([&] { Client::over(std::move(peer.socket), soon()); }), "corrupt") << words;
    }
    Peer silent({}, "");
    EXPECT_EQ(code_of([&] { Client::over(std::move(silent.socket), at_once()); }), "timed-out");
}

TEST(QmpClient, NamesTheCommandThatWasRefused) {
    Peer peer({yes, R"({"error": {"class": "GenericError", "desc": "because"}, "id": $ID})"});
    auto qemu = Client::over(std::move(peer.socket), soon());
    EXPECT_EQ(message_of([&] { qemu.run("do-it", soon()); }), "QEMU refused 'do-it': because");
}

TEST(QmpClient, OutOfBandOnlyWhereOffered) {
    Peer offers({yes, yes});
    auto with = Client::over(std::move(offers.socket), soon());
    EXPECT_EQ(with.run_out_of_band("x", Json::object(), soon()), Json::object());
    Peer lacks({yes},
               R"({"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 2}}, "capabilities": []}})");
    auto without = Client::over(std::move(lacks.socket), soon());
    EXPECT_EQ(code_of([&] { without.run_out_of_band("x", Json::object(), soon()); }), "unsupported");
}

TEST(QmpClient, NobodyListens) {
    Scratch scratch;
    EXPECT_EQ(code_of([&] { Client::connect(scratch.path("none"), soon()); }), "not-found");
}

} // namespace
} // namespace domsnap::qmp
