// Host: a guest's console and screen for those who are in another process than the user.
#include "base/error.h"
#include "os/duplex.h"
#include "os/file.h"
#include "os/socket.h"

#include <domsnap/host.h>
#include <fmt/format.h>

namespace domsnap {

namespace {

class OpenConsole : public Console {
  public:
    explicit OpenConsole(os::Duplex device) : device_(std::move(device)) {}
    std::string read() override { return device_.read(64 << 10); }
    void write(std::string_view bytes) override { device_.write(bytes); }
    void interrupt() override { device_.interrupt(); }

  private:
    os::Duplex device_;
};

/// A new path in the run-time folder, removed at the end.
class ScratchFile {
  public:
    explicit ScratchFile(const std::string& folder) {
        os::make_folders(folder);
        path_ = folder + "/screen-";
        for (const unsigned char byte : os::random_bytes(8))
            path_ += fmt::format("{:02x}", byte);
    }
    ~ScratchFile() {
        try {
            os::remove_file_durably(path_);
        } catch (const Error&) {
            // What is left in the run-time folder goes with the next boot.
        }
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

} // namespace

std::unique_ptr<Console> Host::open_console(const std::string& name, const std::string& device) const {
    const auto [is_socket, path] = console(name, device);
    return std::make_unique<OpenConsole>(is_socket ? os::Duplex(os::connect_unix(path))
                                                   : os::Duplex::open_device(path));
}

Picture Host::screenshot(const std::string& name) const {
    constexpr uint64_t max_picture = 256 << 20;
    const ScratchFile file(folders_.runtime);
    const auto type = screenshot(name, file.path());
    return {type, os::read_file(file.path(), max_picture)};
}

} // namespace domsnap
