#include "disk_content.h"

#include <endian.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace crash {

namespace {

class File {
  public:
    explicit File(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ < 0) throw std::runtime_error("cannot open " + path);
    }
    ~File() { ::close(fd_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    uint64_t size() const {
        struct stat status {};
        ::fstat(fd_, &status);
        return static_cast<uint64_t>(status.st_size);
    }
    /// What lies behind the file's end is zeros.
    std::string read(uint64_t at, uint64_t size) const {
        std::string bytes(size, '\0');
        for (size_t have = 0; have < size;) {
            const auto got = ::pread(fd_, bytes.data() + have, size - have, static_cast<off_t>(at + have));
            if (got <= 0) break;
            have += static_cast<size_t>(got);
        }
        return bytes;
    }
    uint64_t number(uint64_t at, unsigned bytes) const {
        uint64_t value = 0;
        for (const unsigned char byte : read(at, bytes))
            value = value << 8 | byte;
        return value;
    }
    [[noreturn]] void damaged(const std::string& what) const {
        throw std::runtime_error(path_ + ": " + what);
    }

  private:
    std::string path_;
    int fd_;
};

constexpr uint64_t offset_mask = 0x00fffffffffffe00;

struct Tables {
    uint64_t l1 = 0, size = 0;
};

class Image {
  public:
    Image(const std::string& path, const std::string& format, const std::string& tag) : file_(path) {
        if (format == "raw") {
            tables_.size = file_.size();
            return;
        }
        if (file_.number(0, 4) != 0x514649fb) file_.damaged("no qcow2 image");
        cluster_bits_ = static_cast<unsigned>(file_.number(20, 4));
        tables_ = tag.empty() ? Tables{file_.number(40, 8), file_.number(24, 8)} : tables_of(tag);
        read_backing();
    }

    uint64_t size() const { return tables_.size; }
    std::string read(uint64_t at, uint64_t size) const {
        if (cluster_bits_ == 0) return file_.read(at, size);
        const uint64_t cluster = uint64_t{1} << cluster_bits_, per_table = cluster / 8;
        std::string bytes;
        while (size > 0) {
            const uint64_t in_cluster = at % cluster, piece = std::min(size, cluster - in_cluster);
            const uint64_t index = at / cluster;
            const uint64_t l2 = file_.number(tables_.l1 + index / per_table * 8, 8) & offset_mask;
            bytes += piece_of(l2 ? file_.number(l2 + index % per_table * 8, 8) : 0, in_cluster, at, piece);
            at += piece;
            size -= piece;
        }
        return bytes;
    }
    const std::string& backing() const { return backing_path_; }

  private:
    std::string piece_of(uint64_t entry, uint64_t in_cluster, uint64_t at, uint64_t size) const {
        if (entry >> 62 & 1) file_.damaged("a compressed cluster");
        if (entry & 1) return std::string(size, '\0');
        if (entry & offset_mask) return file_.read((entry & offset_mask) + in_cluster, size);
        if (!backing_ || at >= backing_->size()) return std::string(size, '\0');
        std::string bytes = backing_->read(at, std::min(size, backing_->size() - at));
        bytes.resize(size, '\0');
        return bytes;
    }

    Tables tables_of(const std::string& tag) const {
        uint64_t at = file_.number(64, 8);
        for (uint64_t left = file_.number(60, 4); left > 0; --left) {
            const auto id = file_.number(at + 12, 2), name = file_.number(at + 14, 2),
                       extra = file_.number(at + 36, 4);
            if (file_.read(at + 40 + extra + id, name) == tag)
                return {file_.number(at, 8), extra >= 16 ? file_.number(at + 48, 8) : file_.number(24, 8)};
            at += (40 + extra + id + name + 7) / 8 * 8;
        }
        file_.damaged("no internal snapshot '" + tag + "'");
    }

    void read_backing() {
        const uint64_t at = file_.number(8, 8);
        if (at == 0) return;
        backing_path_ = file_.read(at, file_.number(16, 4));
        std::string format;
        for (uint64_t header = file_.number(4, 4) >= 3 ? file_.number(100, 4) : 72;;) {
            const auto type = file_.number(header, 4), size = file_.number(header + 4, 4);
            if (type == 0 || header > 4096) break;
            if (type == 0xe2792aca) format = file_.read(header + 8, size);
            header += 8 + (size + 7) / 8 * 8;
        }
        if (format.empty()) file_.damaged("the backing file's format is not said");
        backing_ = std::make_unique<Image>(backing_path_, format, "");
    }

    File file_;
    unsigned cluster_bits_ = 0; ///< 0: raw
    Tables tables_;
    std::string backing_path_;
    std::unique_ptr<Image> backing_;
};

} // namespace

std::string content_of(const std::string& path, const std::string& format, const std::string& tag) {
    const Image image(path, format, tag);
    // The tests write whole blocks of one letter: a letter for each block, and a mark where one is mixed.
    constexpr uint64_t block = 4096;
    std::string text;
    for (uint64_t at = 0; at < image.size(); at += block) {
        const auto bytes = image.read(at, std::min(block, image.size() - at));
        const bool uniform = bytes.find_first_not_of(bytes[0]) == std::string::npos;
        const char letter = !uniform ? '!' : bytes[0] == 0 ? '.' : bytes[0];
        text += letter;
    }
    return text;
}

std::string backing_of(const std::string& path, const std::string& format) {
    return Image(path, format, "").backing();
}

} // namespace crash
