#include "disk.h"

#include "image/vm_state.h"
#include "os/fd.h"
#include "os/process.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fake {

namespace {

class File {
  public:
    File(const std::string& path, int flags) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC)) {
        if (fd_ < 0) throw Refusal("Could not open '" + path + "': " + std::strerror(errno));
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(fd_); }

    std::string read(uint64_t offset, size_t size) const {
        std::string bytes(size, '\0');
        if (::pread(fd_, bytes.data(), size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
            throw Refusal("Could not open '" + path_ + "': Image is not in qcow2 format");
        return bytes;
    }
    uint64_t number(uint64_t offset, size_t size) const {
        uint64_t value = 0;
        for (const char byte : read(offset, size))
            value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    void write_number(uint64_t offset, size_t size, uint64_t value) const {
        std::string bytes(size, '\0');
        for (size_t i = size; i-- > 0; value >>= 8)
            bytes[i] = static_cast<char>(value & 0xff);
        if (::pwrite(fd_, bytes.data(), size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
            throw Refusal("Could not write '" + path_ + "': " + std::strerror(errno));
    }

  private:
    std::string path_;
    int fd_;
};

// Offsets: QEMU's docs/interop/qcow2.txt, "Header" and "Snapshots".
struct Entry {
    uint64_t at;
    DiskSnapshot snapshot;
};

std::vector<Entry> snapshot_table(const File& file) {
    std::vector<Entry> entries;
    uint64_t at = file.number(64, 8);
    for (uint64_t left = std::min<uint64_t>(file.number(60, 4), 65'536); left > 0; --left) {
        const size_t id_size = file.number(at + 12, 2), name_size = file.number(at + 14, 2);
        const size_t extra = file.number(at + 36, 4);
        Entry entry{at, {}};
        entry.snapshot.seconds = static_cast<uint32_t>(file.number(at + 16, 4));
        entry.snapshot.vm_state_bytes = extra >= 8 ? file.number(at + 40, 8) : file.number(at + 32, 4);
        entry.snapshot.id = file.read(at + 40 + extra, id_size);
        entry.snapshot.tag = file.read(at + 40 + extra + id_size, name_size);
        entries.push_back(entry);
        at += (40 + extra + id_size + name_size + 7) / 8 * 8;
    }
    return entries;
}

void read_extensions(const File& file, DiskHeader& header) {
    constexpr uint64_t backing_format = 0xe2792aca;
    uint64_t at = file.number(4, 4) >= 3 ? file.number(100, 4) : 72;
    for (int limit = 0; limit < 64; ++limit) {
        const uint64_t type = file.number(at, 4), size = file.number(at + 4, 4);
        if (type == 0 || size > 65'536) return;
        if (type == backing_format) header.backing_format = file.read(at + 8, size);
        at += 8 + (size + 7) / 8 * 8;
    }
}

} // namespace

const DiskSnapshot* DiskHeader::find(const std::string& tag) const {
    for (const auto& snapshot : snapshots)
        if (snapshot.tag == tag) return &snapshot;
    return nullptr;
}

bool DiskHeader::has(const std::string& tag) const { return find(tag) != nullptr; }

DiskHeader read_qcow2(const std::string& path) {
    const File file(path, O_RDONLY);
    if (file.number(0, 4) != 0x514649fb)
        throw Refusal("Could not open '" + path + "': Image is not in qcow2 format");
    DiskHeader header;
    header.virtual_size = file.number(24, 8);
    if (const uint64_t at = file.number(8, 8))
        header.backing = file.read(at, std::min<uint64_t>(file.number(16, 4), 1023));
    read_extensions(file, header);
    for (const auto& entry : snapshot_table(file))
        header.snapshots.push_back(entry.snapshot);
    return header;
}

uint64_t file_size(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0)
        throw Refusal("Could not open '" + path + "': " + std::strerror(errno));
    return static_cast<uint64_t>(status.st_size);
}

void qemu_img(const std::vector<std::string>& arguments) {
    const char* program = std::getenv("DOMSNAP_QEMU_IMG");
    std::vector<std::string> argv{program ? program : "qemu-img"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const auto result = domsnap::os::run(argv);
    if (result.exit_code == 0) return;
    std::string words = result.err.substr(0, result.err.find_last_not_of('\n') + 1);
    throw Refusal(words.substr(words.rfind('\n') + 1));
}

std::string vm_state_of(const std::string& path, const std::string& tag) {
    const domsnap::os::Fd state(::memfd_create("vm-state", MFD_CLOEXEC));
    domsnap::image::write_vm_state(path, tag, state.get(), {});
    std::string bytes(static_cast<size_t>(::lseek(state.get(), 0, SEEK_CUR)), '\0');
    if (::pread(state.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw Refusal("Error -5 while loading VM state");
    return bytes;
}

void set_vm_state_size(const std::string& path, const std::string& tag, uint64_t bytes) {
    const File file(path, O_RDWR);
    for (const auto& entry : snapshot_table(file)) {
        if (entry.snapshot.tag != tag) continue;
        file.write_number(entry.at + 32, 4, bytes);
        file.write_number(entry.at + 40, 8, bytes);
    }
}

} // namespace fake
