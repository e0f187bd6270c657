// The bytes of a volume's file, read and written piece by piece for who is far away.
#include "base/error.h"
#include "engine/volume_file.h"
#include "os/bulk.h"
#include "os/file.h"
#include "os/image_lock.h"

#include <algorithm>
#include <domsnap/storage.h>
#include <fmt/format.h>
#include <memory>

namespace domsnap {

using namespace engine;

namespace {

constexpr uint64_t piece = 256 << 10;

class Reader : public VolumeReader {
  public:
    Reader(const std::string& path, uint64_t offset, uint64_t length)
        : path_(path), file_(os::open_read(path)), at_(offset), end_(os::end_of(file_, path)) {
        if (offset > end_)
            throw Error(ErrorCode::invalid_request,
                        fmt::format("volume {} has {} bytes, and none at {}", path, end_, offset));
        if (length > 0) end_ = at_ + std::min(length, end_ - at_);
        if (!os::lock_image(file_, os::ImageUse::reads, path))
            throw Error(
                ErrorCode::busy,
                fmt::format("volume {} is being written to: what would be read of it is of no moment", path),
                "take an external snapshot, and read what it froze; or stop the domain");
    }
    Piece next() override {
        Piece next;
        if (at_ == end_) return next;
        const auto data = os::next_data(file_.get(), at_, end_);
        next.hole = (data ? data->start : end_) - at_;
        at_ += next.hole;
        if (next.hole > 0) return next;
        next.data.resize(std::min(data->size, piece));
        os::read_at(file_.get(), next.data.data(), next.data.size(), at_, path_);
        at_ += next.data.size();
        return next;
    }

  private:
    std::string path_;
    os::Fd file_;
    uint64_t at_, end_;
};

class Writer : public VolumeWriter {
  public:
    Writer(const Folders& folders, const std::string& path, uint64_t offset, uint64_t length)
        : path_(path), file_(open_to_overwrite(folders, path, "overwritten")), at_(offset),
          size_(os::end_of(file_, path)), limit_(length > 0 ? offset + length : largest_volume) {}

    void write(std::string_view bytes) override {
        make_room(bytes.size());
        os::write_at(file_.get(), bytes.data(), bytes.size(), at_, path_);
        at_ += bytes.size();
        size_ = std::max(size_, at_);
    }
    void skip(uint64_t bytes) override {
        make_room(bytes);
        const auto end = at_ + bytes;
        for (const auto there = std::min(end, size_); at_ < there;) {
            const auto data = os::next_data(file_.get(), at_, there);
            if (!data) break;
            at_ = data->start + std::min(data->size, piece);
            os::punch_hole(file_, data->start, at_ - data->start, path_);
        }
        at_ = end;
    }
    void finish() override {
        if (at_ > size_) os::resize_file(file_, at_, path_);
        os::sync_file(file_, path_);
    }

  private:
    void make_room(uint64_t bytes) const {
        if (bytes > limit_ - at_)
            throw Error(ErrorCode::invalid_request,
                        fmt::format("volume {} gets no more than {} bytes, as was said", path_, limit_));
    }

    std::string path_;
    os::Fd file_;
    uint64_t at_, size_, limit_;
};

} // namespace

std::unique_ptr<VolumeReader> read_volume(const Folders& folders, const std::string& path, uint64_t offset,
                                          uint64_t length) {
    refuse_state_folder(folders, path);
    return std::make_unique<Reader>(path, offset, length);
}

std::unique_ptr<VolumeWriter> overwrite_volume(const Folders& folders, const std::string& path,
                                               uint64_t offset, uint64_t length) {
    if (offset > largest_volume || length > largest_volume - offset)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("a volume cannot have {} bytes from {} on", length, offset));
    return std::make_unique<Writer>(folders, path, offset, length);
}

} // namespace domsnap
