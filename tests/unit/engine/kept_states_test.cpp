// What a server keeps of domains is what they are, whoever changed them; and nobody is asked twice for the
// same. QEMU is a process and a socket here: what the real one does is for
// tests/system/test_server_states.py.
#include "../os/scratch.h"
#include "engine/kept_states.h"
#include "os/socket.h"
#include "records.h"

#include <array>
#include <atomic>
#include <csignal>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <thread>

namespace domsnap {

using namespace std::chrono_literals;

namespace {

constexpr const char* uuid = "29b925ff-4c44-44d7-b2ee-7a6023fa3fbb";

/// A process with the command line of one, and a monitor that says what the test wants.
class Qemu {
  public:
    explicit Qemu(machine::RuntimeFiles files) : files_(std::move(files)) {
        os::make_folders(files_.folder);
        os::write_file(files_.events(), "{\"return\": {}}\n");
        process_ = os::start_background({.argv = {"/usr/bin/tail", "-f", files_.events()},
                                         .log_path = files_.log(),
                                         .passed = {},
                                         .in_child = {},
                                         .environment = {}});
        listener_ = os::bind_unix(files_.watch());
        EXPECT_EQ(::listen(listener_.get(), 5), 0);
        os::write_file(files_.live(), std::string(domain_without_disks).replace(0, 7, "<domain id='3'"));
        os::write_file(files_.reason(), "booted");
        os::write_file(files_.pid(), os::to_text(process_));
        monitor_ = std::thread([this] { serve(); });
    }
    ~Qemu() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        monitor_.join();
        end();
    }
    void becomes(const char* status, const char* event) {
        status_ = status;
        say(event);
    }
    void say(const char* event) {
        const auto file = os::open_read_write(files_.events());
        const auto line = fmt::format("{{\"event\": \"{}\"}}\n", event);
        os::write_at(file.get(), line.data(), line.size(), os::end_of(file, "events"), "events");
    }
    void end() {
        os::signal_process(process_, SIGKILL);
        EXPECT_TRUE(os::wait_until_gone(process_, Deadline::after(20s)));
        os::poll_exit(process_);
    }
    unsigned asked() const { return asked_; }

  private:
    void serve() {
        for (;;) {
            const os::Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!peer) return;
            tell(
                peer,
                R"({"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}})");
            try {
                answer_all(peer);
            } catch (const Error&) { // it has gone
            }
        }
    }
    void answer_all(const os::Fd& peer) {
        for (std::string line; !(line = os::read_some(peer.get(), 4096)).empty();) {
            const auto at = line.find("domsnap-");
            const auto id = line.substr(at, line.find('"', at) - at);
            const bool is_status = line.find("query-status") != line.npos;
            if (is_status) ++asked_;
            const std::string status = status_.load();
            tell(peer,
                 fmt::format(R"({{"return": {}, "id": "{}"}})",
                             is_status
                                 ? fmt::format(R"({{"status": "{}", "running": {}, "singlestep": false}})",
                                               status, status == "running")
                                 : "{}",
                             id));
        }
    }
    static void tell(const os::Fd& peer, const std::string& line) { os::send_with_fd(peer, line + "\n", -1); }

    machine::RuntimeFiles files_;
    os::ProcessId process_;
    os::Fd listener_;
    std::atomic<const char*> status_ = "running";
    std::atomic<unsigned> asked_ = 0;
    std::thread monitor_; ///< last: it uses the others
};

class KeptStatesOf : public ::testing::Test {
  protected:
    void SetUp() override {
        other.define(domain_without_disks);
        server.keep_states();
    }
    std::string all() const {
        std::string lines;
        for (const auto& info : server.list(true))
            lines += fmt::format("{} {} {}\n", info.name, to_string(info.state), info.max_memory >> 20);
        return lines;
    }
    static std::string domain(const std::string& name, const std::string& of_uuid, int mib) {
        return fmt::format("<domain type='qemu'><name>{}</name><uuid>{}</uuid><memory unit='MiB'>{}</memory>"
                           "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>",
                           name, of_uuid, mib);
    }
    machine::RuntimeFiles files() const { return engine::runtime_files(server.folders(), uuid); }

    Hasty hasty;
    Scratch scratch;
    Folders folders{.state = scratch / "state", .runtime = scratch / "run"};
    Host other{folders}, server{folders};
};

} // namespace

TEST_F(KeptStatesOf, domains_that_others_define_change_and_remove) {
    EXPECT_EQ(all(), "g shut off 64\n");
    other.define(domain("g", uuid, 96));
    EXPECT_EQ(all(), "g shut off 96\n");
    other.define(domain("a", "19b925ff-4c44-44d7-b2ee-7a6023fa3fbb", 32));
    EXPECT_EQ(all(), "a shut off 32\ng shut off 96\n");
    EXPECT_EQ(server.info("19b925ff-4c44-44d7-b2ee-7a6023fa3fbb").name, "a");
    other.rename("a", "z");
    EXPECT_EQ(all(), "g shut off 96\nz shut off 32\n");
    EXPECT_EQ(server.info("19b925ff-4c44-44d7-b2ee-7a6023fa3fbb").name, "z");
    EXPECT_EQ(server.info("z").uuid, "19b925ff-4c44-44d7-b2ee-7a6023fa3fbb");
    error_of(ErrorCode::not_found, [&] { server.info("a"); });
    other.undefine("z", {});
    EXPECT_EQ(all(), "g shut off 96\n");
    error_of(ErrorCode::not_found, [&] { server.info("19b925ff-4c44-44d7-b2ee-7a6023fa3fbb"); });
    other.define(domain("z", "09b925ff-4c44-44d7-b2ee-7a6023fa3fbb", 16));
    EXPECT_EQ(server.info("z").uuid, "09b925ff-4c44-44d7-b2ee-7a6023fa3fbb");
    error_of(ErrorCode::not_found, [&] { server.info("19b925ff-4c44-44d7-b2ee-7a6023fa3fbb"); });
}

TEST_F(KeptStatesOf, domains_are_read_once) {
    all();
    Opens opens(store::DomainFolder(folders.state, "g").path());
    for (int i = 0; i < 100; ++i) {
        all();
        server.info(uuid);
    }
    // As many as one that is asked now and then: when it has grown old.
    EXPECT_LT(opens.all(), 20U);
}

TEST_F(KeptStatesOf, a_state_folder_in_anothers_place_is_the_one_that_counts) {
    all();
    std::rename(folders.state.c_str(), (scratch / "moved").c_str());
    EXPECT_EQ(all(), "");
    os::remove_tree(folders.state);
    std::rename((scratch / "moved").c_str(), folders.state.c_str());
    EXPECT_EQ(all(), "g shut off 64\n");
}

TEST_F(KeptStatesOf, a_guest_is_followed_by_its_events) {
    EXPECT_EQ(server.info("g").state, DomainState::shutoff);
    Qemu qemu(files());
    const auto running = server.info("g");
    EXPECT_EQ(running.state, DomainState::running);
    EXPECT_EQ(running.id, 3);
    EXPECT_EQ(running.reason, "booted");
    const auto asked = qemu.asked();
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(server.info(uuid).state, DomainState::running);
        EXPECT_EQ(server.list(false).size(), 1U);
    }
    EXPECT_LT(qemu.asked(), asked + 20);
    for (int i = 0; i < 20; ++i) {
        qemu.becomes("paused", "STOP");
        EXPECT_EQ(server.info("g").state, DomainState::paused);
        qemu.becomes("running", "RESUME");
        EXPECT_EQ(server.info("g").state, DomainState::running);
    }
    os::write_file(files().reason(), "from snapshot");
    EXPECT_EQ(server.info("g").reason, "from snapshot");
    qemu.becomes("io-error", "STOP");
    EXPECT_EQ(server.info("g").reason, "I/O error");
    qemu.becomes("guest-panicked", "GUEST_PANICKED");
    EXPECT_EQ(server.list(false).at(0).state, DomainState::crashed);
}

TEST_F(KeptStatesOf, a_guest_that_is_killed_is_off) {
    Qemu qemu(files());
    EXPECT_EQ(server.list(false).size(), 1U);
    qemu.end();
    EXPECT_EQ(server.list(false).size(), 0U);
    EXPECT_EQ(server.info("g").state, DomainState::shutoff);
    EXPECT_EQ(server.info("g").reason, "crashed");
}

TEST_F(KeptStatesOf, another_process_in_its_place_is_looked_at) {
    auto first = std::make_unique<Qemu>(files());
    EXPECT_EQ(server.info("g").state, DomainState::running);
    const Qemu beside(files().next());
    os::exchange(files().folder, files().next().folder);
    os::write_file(files().reason(), "from snapshot");
    EXPECT_EQ(server.info("g").reason, "from snapshot");
    first->end();
    EXPECT_EQ(server.info("g").state, DomainState::running);
    os::write_file(files().reason(), "booted");
    EXPECT_EQ(server.info("g").reason, "booted");
}

TEST_F(KeptStatesOf, many_who_ask_at_once_share_a_look) {
    Qemu qemu(files());
    std::vector<std::thread> threads;
    std::atomic<unsigned> wrong = 0;
    for (int i = 0; i < 16; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round)
                if (server.info(uuid).state != DomainState::running || server.list(true).size() != 1) ++wrong;
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0U);
    EXPECT_LT(qemu.asked(), 50U);
}

} // namespace domsnap
