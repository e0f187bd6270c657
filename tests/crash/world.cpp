#include "world.h"

#include "image/qemu_img.h"
#include "os/file.h"
#include "os/process.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace crash {

namespace fs = std::filesystem;
using namespace domsnap;

namespace {

constexpr unsigned block = 4096, blocks = 32;

/// Those below pid: whoever lost its parent is ours, since we are a subreaper.
void add_descendants(pid_t pid, std::vector<pid_t>& found) {
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
    for (pid_t child = 0; children >> child;) {
        found.push_back(child);
        add_descendants(child, found);
    }
}

std::vector<os::ProcessId> processes_naming(const std::string& folder, const std::string& program) {
    static const pid_t first = ::getpid(); // the driver, also in its children
    std::vector<pid_t> descendants;
    add_descendants(first, descendants);
    std::vector<os::ProcessId> found;
    for (const pid_t pid : descendants) {
        if (pid == ::getpid()) continue;
        try {
            const auto line = os::read_file_start(fmt::format("/proc/{}/cmdline", pid), 1 << 16);
            if (line.find(folder) == std::string::npos || line.find(program) == std::string::npos) continue;
            if (const auto id = os::process_id(pid)) found.push_back(*id);
        } catch (const Error&) { // it has just ended
        }
    }
    return found;
}

/// In memory where it can be: what a power failure would lose, the tests themselves decide.
std::string scratch_folder() {
    constexpr const char* in_memory = "/dev/shm";
    if (const char* chosen = std::getenv("TMPDIR")) return chosen;
    return ::access(in_memory, W_OK) == 0 ? in_memory : "/tmp";
}

void must_run(const std::vector<std::string>& argv) {
    const auto result = os::run(argv);
    if (result.exit_code != 0) throw std::runtime_error(argv[0] + ": " + result.err);
}

std::string read_all(const std::string& path) { return os::read_file(path, 64 << 20); }

timespec modified(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("cannot look at " + path);
    return status.st_mtim;
}

} // namespace

void set_modified(int fd, const timespec& modified) {
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
    if (::futimens(fd, times) != 0) throw std::runtime_error("cannot put a file's time back");
}

void kill_processes_naming(const std::string& folder, const std::string& program) {
    for (const auto& process : processes_naming(folder, program)) {
        ::kill(process.pid, SIGKILL);
        os::wait_until_gone(process, Deadline::after(std::chrono::seconds(20)));
    }
}

World::World() {
    end_processes(); // so that those who are forked later know whose children to look for
    path_ = scratch_folder() + "/dsc-XXXXXX";
    if (!::mkdtemp(path_.data())) throw std::runtime_error("cannot make " + path_);
    links_ = path_ + ".kept";
    os::make_folders(path_ + "/images");
    os::make_folders(links_);
    os::write_file(faults(), "");
    ::setenv("FAKE_QEMU_FAULTS", faults().c_str(), 1);
}

World::~World() {
    end_processes();
    fs::remove_all(path_);
    fs::remove_all(links_);
}

void World::make_image(const std::string& name, const std::string& format) const {
    std::vector<std::string> argv{image::program(), "create", "-q", "-f", format};
    if (format == "qcow2") argv.insert(argv.end(), {"-o", "cluster_size=4096"});
    argv.insert(argv.end(), {image(name), std::to_string(block * blocks)});
    must_run(argv);
}

std::string World::document(const std::string& name, const std::map<std::string, std::string>& disks,
                            const Machine& machine) const {
    std::string text =
        fmt::format("<domain type='qemu'><name>{}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>"
                    "<os><type arch='x86_64' machine='q35'>hvm</type>{}</os><devices>{}",
                    name, machine.os, machine.devices);
    for (const auto& [target, file] : disks)
        text +=
            fmt::format("<disk type='file' device='disk'><driver name='qemu' type='{}'/><source file='{}'/>"
                        "<target dev='{}' bus='virtio'/></disk>",
                        file.ends_with(".raw") ? "raw" : "qcow2", image(file), target);
    return text + "<memballoon model='none'/></devices></domain>";
}

void World::write(const std::string& path, const std::string& format, unsigned at, char letter) const {
    must_run({"qemu-io", "-f", format, "-c", fmt::format("write -P {} {} {}", int{letter}, at * block, block),
              path});
}

void World::end_processes() const {
    kill_processes_naming(path_, "");
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

void World::remember() {
    end_processes();
    kept_.clear();
    fs::remove_all(links_);
    os::make_folders(links_);
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
        const auto name = entry.path().lexically_relative(path_).string();
        if (name.starts_with("run")) continue;
        Kept one{name, {}, {}, {}, entry.is_directory()};
        if (!one.is_folder) {
            one.link = fmt::format("{}/{}", links_, kept_.size());
            one.content = read_all(entry.path());
            one.modified = modified(entry.path());
            fs::create_hard_link(entry.path(), one.link);
        }
        kept_.push_back(std::move(one));
    }
}

void World::put_back() const {
    end_processes();
    for (const auto& entry : fs::directory_iterator(path_))
        fs::remove_all(entry.path());
    for (const auto& one : kept_) {
        const auto path = path_ + "/" + one.name;
        if (one.is_folder) {
            ::mkdir(path.c_str(), 0700);
            continue;
        }
        fs::create_hard_link(one.link, path);
        const os::Fd file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
        os::write_all(file.get(), one.content.data(), one.content.size(), path);
        set_modified(file.get(), one.modified);
    }
}

} // namespace crash
