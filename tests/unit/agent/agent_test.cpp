// The agent's client, freeze, thaw and the process that thaws, against an agent that behaves as it is told
// to.
#include "agent/client.h"
#include "agent/freeze.h"
#include "base/error.h"
#include "os/file.h"
#include "os/socket.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <thread>

namespace domsnap::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Listens where QEMU would. answer: what it says to a command (whole bytes), or nothing.
class FakeAgent {
  public:
    using Answer = std::function<std::string(const std::string& command, const Json& arguments)>;

    explicit FakeAgent(Answer answer) : answer_(std::move(answer)) {
        std::string folder = "/tmp/domsnap-agent-XXXXXX";
        if (!::mkdtemp(folder.data())) throw std::runtime_error("mkdtemp failed");
        path_ = folder + "/agent.sock";
        listener_ = os::bind_unix(path_);
        ::listen(listener_.get(), 4);
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeAgent() {
        stop_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
        os::remove_tree(path_.substr(0, path_.rfind('/')));
    }
    const std::string& path() const { return path_; }
    std::vector<std::string> heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }
    bool hears(const std::string& command, Deadline deadline) {
        for (; !deadline.passed(); std::this_thread::yield()) {
            const auto all = heard();
            if (std::find(all.begin(), all.end(), command) != all.end()) return true;
        }
        return false;
    }

  private:
    void serve() {
        while (!stop_) {
            const os::Fd client(::accept(listener_.get(), nullptr, nullptr));
            if (client.get() < 0) return;
            std::string unread;
            while (!stop_ && os::wait_readable(client.get(), Deadline::after(20ms)) ? take(client, unread)
                                                                                    : !stop_) {
            }
        }
    }
    bool take(const os::Fd& client, std::string& unread) {
        const auto more = os::read_some(client.get(), 4096);
        if (more.empty()) return false;
        unread += more;
        for (size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1))
            reply(client, unread.substr(0, end));
        return true;
    }
    void reply(const os::Fd& client, std::string line) {
        line.erase(0, line.find_first_not_of('\xff'));
        const auto message = Json::parse(line);
        const auto command = message["execute"].get<std::string>();
        {
            const std::lock_guard lock(mutex_);
            heard_.push_back(command);
        }
        const auto bytes = answer_(command, message.value("arguments", Json::object()));
        try {
            if (!bytes.empty()) os::send_with_fd(client, bytes, -1);
        } catch (const Error&) { // it has had enough, and went away
        }
    }

    Answer answer_;
    std::string path_;
    os::Fd listener_;
    std::atomic<bool> stop_ = false;
    std::mutex mutex_;
    std::vector<std::string> heard_;
    std::thread thread_;
};

std::string returning(const Json& value) { return Json{{"return", value}}.dump() + "\n"; }

/// An agent as it should be, but for what the test says otherwise.
FakeAgent::Answer good_but(const FakeAgent::Answer& otherwise = {}) {
    return [=](const std::string& command, const Json& arguments) -> std::string {
        if (otherwise)
            if (auto said = otherwise(command, arguments); said != "-") return said;
        if (command == "guest-sync-delimited") return "\xff" + returning(arguments["id"]);
        if (command == "guest-fsfreeze-status") return returning("thawed");
        return returning(1);
    };
}

Error refusal(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorCode::io, "(accepted)"};
}

Deadline soon() { return Deadline::after(200ms); }
Deadline patient() { return Deadline::after(30s); }

} // namespace

TEST(Agent, FreezesAndThaws) {
    FakeAgent agent(good_but());
    EXPECT_EQ(freeze(agent.path(), patient()), 1);
    thaw(agent.path(), patient());
    EXPECT_THAT(agent.heard(),
                ElementsAre("guest-sync-delimited", "guest-fsfreeze-freeze", "guest-sync-delimited",
                            "guest-fsfreeze-thaw", "guest-fsfreeze-status"));
}

TEST(Agent, SkipsAnswersToThoseWhoWentAway) {
    FakeAgent agent(good_but([](const std::string& command, const Json& arguments) -> std::string {
        if (command != "guest-sync-delimited") return "-";
        return "7}\n{\"return\":9}\n\xff{\"return\":3}\n{\"re\xff" + returning(arguments["id"]);
    }));
    EXPECT_FALSE(is_frozen(agent.path(), patient()));
}

TEST(Agent, ASilentOneIsNotWaitedForLong) {
    FakeAgent agent([](const std::string&, const Json&) { return ""; });
    const auto error = refusal([&] { freeze(agent.path(), soon()); });
    EXPECT_EQ(error.code(), ErrorCode::timed_out);
    EXPECT_THAT(error.what(), HasSubstr("Guest agent is not responding"));
}

TEST(Agent, GarbageIsNoAnswer) {
    for (const std::string garbage : {"nonsense\n", "[]\n", "{}\n", "{\"error\":5}\n", "\xff\xff\n"}) {
        FakeAgent agent(good_but([&](const std::string& command, const Json&) {
            return command == "guest-fsfreeze-freeze" ? garbage : std::string("-");
        }));
        EXPECT_THAT(refusal([&] { freeze(agent.path(), patient()); }).what(),
                    HasSubstr("the agent's answer is none"));
    }
}

TEST(Agent, AFloodIsRefused) {
    FakeAgent agent([](const std::string&, const Json&) { return "\xff" + std::string(3 << 20, 'x'); });
    EXPECT_EQ(refusal([&] { is_frozen(agent.path(), patient()); }).code(), ErrorCode::corrupt);
}

TEST(Agent, SaysWhatTheAgentSaid) {
    FakeAgent agent(good_but([](const std::string& command, const Json&) -> std::string {
        if (command != "guest-fsfreeze-freeze") return "-";
        return R"({"error":{"class":"GenericError","desc":"failed to freeze /mnt: Device or resource busy"}})"
               "\n";
    }));
    EXPECT_STREQ(
        refusal([&] { freeze(agent.path(), patient()); }).what(),
        "unable to execute QEMU agent command 'guest-fsfreeze-freeze': failed to freeze /mnt: Device or "
        "resource busy");
}

TEST(Agent, AsksAgainWhenAThawWasLost) {
    std::atomic<int> thaws = 0;
    FakeAgent agent(good_but([&](const std::string& command, const Json&) -> std::string {
        return command == "guest-fsfreeze-thaw" && ++thaws == 1 ? "" : "-";
    }));
    thaw(agent.path(), patient());
    EXPECT_EQ(thaws, 2);
}

TEST(Agent, IsNotContentWithAThawThatDidNotHelp) {
    std::atomic<int> asked = 0;
    FakeAgent agent(good_but([&](const std::string& command, const Json&) -> std::string {
        return command == "guest-fsfreeze-status" && ++asked < 3 ? returning("frozen") : "-";
    }));
    thaw(agent.path(), patient());
    EXPECT_EQ(asked, 3);
}

class WatchTest : public testing::Test {
  protected:
    WatchTest() { ::setenv("DOMSNAP_LIBEXEC_DIR", PROGRAM_FOLDER, 1); }
    FakeAgent agent{good_but()};
};

TEST_F(WatchTest, ThawsWhenItsOwnerIsGone) {
    { const auto watch = Watch::start(agent.path(), 3600s, ""); }
    EXPECT_TRUE(agent.hears("guest-fsfreeze-thaw", patient()));
}

TEST_F(WatchTest, ThawsWhenItTakesTooLongAndSaysSo) {
    auto watch = Watch::start(agent.path(), 0s, "");
    EXPECT_TRUE(agent.hears("guest-fsfreeze-thaw", patient()));
    EXPECT_FALSE(watch.release());
}

TEST_F(WatchTest, LeavesTheGuestAloneOnceReleased) {
    auto first = Watch::start(agent.path(), 3600s, "");
    EXPECT_TRUE(first.release());
    { const auto second = Watch::start(agent.path(), 3600s, ""); } // proves that a thaw would have been heard
    EXPECT_TRUE(agent.hears("guest-fsfreeze-status", patient()));
    const auto heard = agent.heard();
    EXPECT_EQ(std::count(heard.begin(), heard.end(), "guest-fsfreeze-thaw"), 1);
}

} // namespace domsnap::agent
