#include "firmware.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace guest {
namespace {

constexpr const char* variables = "/sys/firmware/efi/efivars";
constexpr uint32_t nonvolatile = 1 | 2 | 4; // and seen by boot services and at run time

std::string words(const char* what) { return std::string(what) + ": " + strerror(errno); }

class File {
  public:
    File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~File() {
        if (fd_ >= 0) close(fd_);
    }
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }

  private:
    int fd_;
};

std::string variable(const std::string& name) {
    mount("efivarfs", variables, "efivarfs", 0, nullptr); // the second time it is busy
    return std::string(variables) + "/" + name + "-d0a5a9b0-6f1e-4b0e-9d6e-5a7c1c0ffee1";
}

/// The kernel shields variables that it does not know from being changed.
void unshield(const std::string& path) {
    const File file(path, O_RDONLY);
    int none = 0;
    if (file) ioctl(file.get(), FS_IOC_SETFLAGS, &none);
}

// TPM 2.0 commands (TCG's "Part 3: Commands"): big endian, by hand.
class Command {
  public:
    explicit Command(uint32_t code) { u16(0x8002).u32(0).u32(code); } // with one session; the size comes last
    Command& u8(uint8_t v) { return bytes_.push_back(static_cast<char>(v)), *this; }
    Command& u16(uint16_t v) { return u8(static_cast<uint8_t>(v >> 8)).u8(static_cast<uint8_t>(v)); }
    Command& u32(uint32_t v) { return u16(static_cast<uint16_t>(v >> 16)).u16(static_cast<uint16_t>(v)); }
    Command& sized(const std::string& data) {
        u16(static_cast<uint16_t>(data.size()));
        return bytes_ += data, *this;
    }
    Command& owner() { return u32(0x40000001); }
    /// An empty password.
    Command& password() { return u32(9).u32(0x40000009).u16(0).u8(0).u16(0); }
    std::string run(std::string& answer) {
        for (int i = 0; i < 4; i++)
            bytes_[static_cast<size_t>(2 + i)] = static_cast<char>(bytes_.size() >> (24 - 8 * i));
        const File tpm("/dev/tpm0", O_RDWR);
        if (!tpm) return words("/dev/tpm0");
        char buffer[4096];
        if (write(tpm.get(), bytes_.data(), bytes_.size()) != static_cast<ssize_t>(bytes_.size()))
            return words("write to the TPM");
        const ssize_t got = read(tpm.get(), buffer, sizeof buffer);
        if (got < 10) return words("read from the TPM");
        answer.assign(buffer, static_cast<size_t>(got));
        const uint32_t code = number(answer, 6);
        return code == 0 ? "" : "TPM error " + std::to_string(code);
    }
    static uint32_t number(const std::string& text, size_t at) {
        uint32_t value = 0;
        for (size_t i = 0; i < 4; i++)
            value = value << 8 | static_cast<unsigned char>(text[at + i]);
        return value;
    }

  private:
    std::string bytes_;
};

constexpr uint16_t index_size = 32;
constexpr uint32_t already_defined = 0x14c;

std::string define_index(uint32_t index) {
    std::string answer;
    Command define(0x12a);
    // Read and written by the owner, no lockout; no password, and no policy.
    define.owner()
        .password()
        .u16(0)
        .u16(14)
        .u32(index)
        .u16(0x000b)
        .u32(1u << 1 | 1u << 17 | 1u << 25)
        .u16(0)
        .u16(index_size);
    const auto error = define.run(answer);
    const bool there = answer.size() >= 10 && Command::number(answer, 6) == already_defined;
    return there ? "" : error;
}

} // namespace

std::string efi_write(const std::string& name, const std::string& text) {
    const auto path = variable(name);
    unshield(path);
    const File file(path, O_WRONLY | O_CREAT);
    if (!file) return words("make the variable");
    std::string bytes(reinterpret_cast<const char*>(&nonvolatile), sizeof nonvolatile);
    bytes += text;
    return write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())
               ? ""
               : words("write the variable");
}

std::string efi_read(const std::string& name, std::string& text) {
    const File file(variable(name), O_RDONLY);
    if (!file) return words("no such variable");
    char buffer[1024];
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 4) return words("read the variable");
    text.assign(buffer + 4, static_cast<size_t>(got) - 4);
    return "";
}

std::string tpm_write(uint32_t index, const std::string& text) {
    if (const auto error = define_index(index); !error.empty()) return error;
    std::string answer, data = text;
    data.resize(index_size);
    return Command(0x137).owner().u32(index).password().sized(data).u16(0).run(answer);
}

std::string tpm_read(uint32_t index, std::string& text) {
    std::string answer;
    const auto error = Command(0x14e).owner().u32(index).password().u16(index_size).u16(0).run(answer);
    if (!error.empty()) return error;
    text = answer.substr(16, index_size); // behind the header, the parameters' size and the data's own
    text.resize(text.find_last_not_of('\0') + 1);
    return "";
}

} // namespace guest
