// PID 1 of the test guest: loads modules, then ticks for ever, answers commands and obeys the power button.
#include "clock.h"
#include "commands.h"

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <linux/input.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace guest {
namespace {

void mount_all() {
    for (const char* where : {"/proc", "/sys", "/dev"})
        mkdir(where, 0755);
    mount("proc", "/proc", "proc", 0, nullptr);
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
    mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
    setenv("PATH", "/bin", 1);
}

// In the order of the list: the build put each module after those that it needs. One that finds no hardware
// fails.
void load_modules() {
    std::ifstream list("/modules/order");
    for (std::string name; std::getline(list, name);) {
        const int fd = open(("/modules/" + name).c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        syscall(SYS_finit_module, fd, "", 0);
        close(fd);
    }
}

// What an archive behind ours may have brought along. Started once, and never waited for.
void start_script() {
    if (access("/etc/rc", X_OK) != 0 || fork() != 0) return;
    execl("/etc/rc", "/etc/rc", nullptr);
    _exit(127);
}

// The kernel gives init every NAME=VALUE that it does not know itself as an environment variable.
int64_t parameter(const char* name, int64_t otherwise) {
    const char* text = getenv(name);
    const int64_t value = text == nullptr ? otherwise : atoll(text);
    return value > 0 ? value : otherwise;
}

uint64_t random_word() {
    uint64_t word = 0;
    // Not the blocking pool: a guest that has just booted may not have gathered enough for it.
    if (getrandom(&word, sizeof word, GRND_INSECURE) != sizeof word)
        word = mix(static_cast<uint64_t>(now_ms()));
    return word;
}

class Init {
  public:
    Init();
    [[noreturn]] void run();

  private:
    void tick_if_due();
    void open_buttons();
    void read_button(int fd);
    void reap();
    void poll_once();

    World world_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<int> buttons_;
    const int64_t period_ = parameter("tick_ms", 50);
    const uint64_t disk_every_ = static_cast<uint64_t>(parameter("disk_every", 1));
    int64_t next_tick_ = 0, last_tick_ = 0, next_scan_ = 0;
};

Init::Init() {
    for (const char* device : {"/dev/ttyS0", "/dev/ttyS1"})
        if (auto port = Port::open(device, ports_.empty())) ports_.push_back(std::move(port));
    open_buttons();
    world_.boot = random_word();
    world_.breathe = [this] { tick_if_due(); };
    world_.ram.fill(1, 1, [] {});
    world_.disks.rescan();
    next_tick_ = now_ms();
}

void Init::open_buttons() {
    DIR* dir = opendir("/dev/input");
    if (dir == nullptr) return;
    while (const dirent* entry = readdir(dir)) {
        const std::string name = entry->d_name;
        if (!name.starts_with("event")) continue;
        if (const int fd = open(("/dev/input/" + name).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); fd >= 0)
            buttons_.push_back(fd);
    }
    closedir(dir);
}

void Init::read_button(int fd) {
    input_event event{};
    while (read(fd, &event, sizeof event) == sizeof event) {
        if (event.type != EV_KEY || event.code != KEY_POWER || event.value != 1) continue;
        ports_.front()->say("power button");
        if (world_.obey_power_button) power(RB_POWER_OFF);
    }
}

void Init::tick_if_due() {
    const int64_t now = now_ms();
    if (now >= next_scan_) {
        world_.disks.rescan();
        next_scan_ = now + 1000;
    }
    world_.ram.dirty_slice();
    if (now < next_tick_) return;
    if (last_tick_ != 0) world_.longest_gap_ms = std::max(world_.longest_gap_ms, now - last_tick_);
    last_tick_ = now;
    world_.tick++;
    if (world_.tick % disk_every_ == 0) world_.disks.tick({world_.boot, world_.tick});
    if (!ports_.empty()) ports_.front()->mention("tick " + std::to_string(world_.tick));
    next_tick_ = std::max(next_tick_ + period_, now_ms()); // late ticks are not made up for in a burst
}

void Init::reap() {
    for (int pid; (pid = waitpid(-1, nullptr, WNOHANG)) > 0;)
        for (auto& port : ports_)
            port->child_ended(pid);
}

void Init::poll_once() {
    std::vector<pollfd> wanted;
    for (const auto& port : ports_) {
        const short events = port->wants_to_write() ? POLLIN | POLLOUT : POLLIN;
        wanted.push_back({port->lent() ? -1 : port->fd(), events, 0});
    }
    for (const int fd : buttons_)
        wanted.push_back({fd, POLLIN, 0});
    const int64_t wait = std::max<int64_t>(0, next_tick_ - now_ms());
    poll(wanted.data(), wanted.size(),
         static_cast<int>(world_.ram.is_dirtying() ? std::min<int64_t>(wait, 5) : wait));
    for (size_t i = 0; i < ports_.size(); i++) {
        if (wanted[i].revents == 0) continue;
        ports_[i]->flush();
        for (const auto& line : ports_[i]->lines())
            run_command(world_, *ports_[i], line);
    }
    for (size_t i = ports_.size(); i < wanted.size(); i++)
        if (wanted[i].revents != 0) read_button(wanted[i].fd);
}

void Init::run() {
    for (;;) {
        reap();
        tick_if_due();
        poll_once();
    }
}

} // namespace
} // namespace guest

int main() {
    guest::mount_all();
    guest::load_modules();
    guest::start_script();
    guest::Init().run();
}
