#include "memory/save_file.h"

#include "base/text.h"
#include "memory/image_format.h"
#include "memory/stream.h"
#include "os/bulk.h"
#include "os/file.h"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace domsnap::memory {

namespace {

constexpr std::string_view finished = "LibvirtQemudSave", unfinished = "LibvirtQemudPart";
constexpr uint32_t newest_version = 2, first_with_packing = 2;
constexpr uint64_t header_size = 92, longest_xml = 16 << 20, chunk_size = 1 << 20;

/// Of the host that wrote it: libvirt, too, tries the other byte order where the version makes no sense.
struct SaveHeader {
    std::string magic;
    uint32_t version = 0, length = 0, was_running = 0, packing = 0, cookie = 0;
};

SaveHeader parse_header(const std::array<char, header_size>& raw) {
    std::array<uint32_t, 5> words{}; // version, length, whether it ran, packing, where the cookie is
    std::memcpy(words.data(), raw.data() + finished.size(), sizeof words);
    if (words[0] > newest_version && __builtin_bswap32(words[0]) <= newest_version)
        for (auto& word : words)
            word = __builtin_bswap32(word);
    return {std::string(raw.data(), finished.size()), words[0], words[1], words[2], words[3], words[4]};
}

Error damaged(const std::string& path, const std::string& what) {
    return {ErrorCode::corrupt, fmt::format("'{}', in which libvirt saved a guest's memory, is damaged: {}",
                                            text::printable(path), what)};
}

void check(const SaveHeader& header, const std::string& path, uint64_t size) {
    if (header.magic == unfinished)
        throw Error(ErrorCode::corrupt,
                    fmt::format("'{}' is not whole: libvirt did not finish it", text::printable(path)));
    if (header.magic != finished)
        throw Error(ErrorCode::corrupt,
                    fmt::format("'{}' is no memory that libvirt saved", text::printable(path)));
    if (header.version == 0 || header.version > newest_version)
        throw Error(
            ErrorCode::unsupported,
            fmt::format("'{}' was written by a newer libvirt: its version is {}, and {} the newest that "
                        "is known",
                        text::printable(path), header.version, newest_version));
    const uint64_t xml = header.cookie ? header.cookie : header.length;
    if (header.length == 0 || xml > header.length || xml > longest_xml)
        throw damaged(path, "the lengths in its header make no sense");
    if (header_size + header.length >= size) throw damaged(path, "it ends before the memory begins");
}

Packing packing_of(const SaveHeader& header, const std::string& path) {
    if (header.version < first_with_packing) return Packing::none;
    const auto packing = static_cast<Packing>(header.packing);
    if (header.packing < known_packings && packing != Packing::sparse) return packing;
    throw Error(ErrorCode::unsupported,
                fmt::format("the memory in '{}' is saved as {}, which domsnap does not read",
                            text::printable(path),
                            header.packing < known_packings ? fmt::format("'{}'", to_string(packing))
                                                            : fmt::format("format {}", header.packing)),
                "go back to it with libvirt, set snapshot_image_format in qemu.conf to raw, gzip, bzip2, xz, "
                "lzop or zstd, "
                "and take it again");
}

} // namespace

bool SaveFile::is_one(const std::string& path) {
    const auto info = os::file_info(path);
    if (!info || !info->is_regular || info->size < finished.size()) return false;
    const auto magic = os::read_file_start(path, finished.size());
    return magic == finished || magic == unfinished;
}

SaveFile SaveFile::open(const std::string& path) {
    const auto fd = os::open_read(path);
    SaveFile file;
    file.path_ = path;
    file.size_ = os::end_of(fd, path);
    if (file.size_ < header_size) throw damaged(path, "it is shorter than a header");
    std::array<char, header_size> raw{};
    os::read_at(fd.get(), raw.data(), raw.size(), 0, path);
    const auto header = parse_header(raw);
    check(header, path, file.size_);
    file.packing_ = packing_of(header, path);
    file.was_running_ = header.was_running;
    file.begin_ = header_size + header.length;
    std::string xml(std::min<uint64_t>(header.cookie ? header.cookie : header.length, longest_xml), '\0');
    os::read_at(fd.get(), xml.data(), xml.size(), header_size, path);
    file.xml_ = xml.c_str(); // it ends at a NUL, and zeros fill what is left
    return file;
}

SavedStream::SavedStream(const SaveFile& file)
    : path_(file.path()), fd_(os::open_read(path_)), at_(file.begin()), end_(file.size()),
      decoder_(make_decoder(file.packing(), path_)), chunk_(headroom + chunk_size), packed_(chunk_size) {}

void SavedStream::refill() {
    const auto size = std::min<uint64_t>(chunk_size, end_ - at_);
    os::read_at(fd_.get(), packed_.data(), size, at_, path_);
    at_ += size;
    left_ = {packed_.data(), size};
}

/// Until the room is full, or nothing is left. A decoder may hold back what it has unpacked already.
void SavedStream::unpack(std::span<uint8_t>& room) {
    while (!room.empty()) {
        if (left_.empty() && at_ < end_) refill();
        const size_t before = room.size() + left_.size();
        if (left_.empty() && decoder_->is_whole()) return;
        decoder_->step(left_, room);
        if (room.size() + left_.size() < before || at_ < end_ || decoder_->is_whole()) continue;
        throw damaged(path_, fmt::format("it ends in the midst of the memory (at byte {})", end_));
    }
}

std::span<uint8_t> SavedStream::next() {
    std::span<uint8_t> room(chunk_.data() + headroom, chunk_size);
    if (decoder_) {
        unpack(room);
    } else {
        const auto size = std::min<uint64_t>(chunk_size, end_ - at_);
        if (size) os::read_at(fd_.get(), room.data(), size, at_, path_);
        at_ += size;
        room = room.subspan(size);
    }
    return {chunk_.data() + headroom, chunk_size - room.size()};
}

namespace {

/// Tells of each chunk as it comes.
class Watched : public ByteSource {
  public:
    Watched(const SaveFile& file, const VerifyHooks* hooks) : file_(file), hooks_(hooks), stream_(file) {}
    std::span<uint8_t> next() override {
        if (hooks_ && hooks_->progress) hooks_->progress(stream_.at(), file_.size());
        if (hooks_ && hooks_->should_stop && hooks_->should_stop())
            throw Error(ErrorCode::cancelled,
                        fmt::format("the check of '{}' was stopped", text::printable(file_.path())));
        return stream_.next();
    }

  private:
    const SaveFile& file_;
    const VerifyHooks* hooks_;
    SavedStream stream_;
};

} // namespace

void verify_stream(const SaveFile& file, const VerifyHooks* hooks) {
    Watched source(file, hooks);
    StreamParser parser(source);
    try {
        while (parser.next() != StreamParser::Event::end) {
        }
    } catch (const Error& error) {
        if (error.code() != ErrorCode::corrupt && error.code() != ErrorCode::unsupported) throw;
        throw Error(error.code(), fmt::format("'{}': {}", text::printable(file.path()), error.what()),
                    error.hint());
    }
}

void write_stream(const SaveFile& file, int out, const Control& control) {
    SavedStream stream(file);
    const auto stop = [&] { return control.cancelled(); };
    for (auto chunk = stream.next(); !chunk.empty(); chunk = stream.next()) {
        if (!os::write_as_read(out, chunk.data(), chunk.size(), stop, "QEMU's incoming migration"))
            throw Error(ErrorCode::cancelled, "loading the memory was stopped");
        control.report("memory", stream.at(), file.size());
    }
}

std::string save_file_hash(const std::string& path) {
    const auto fd = os::open_read(path);
    const uint64_t end = os::end_of(fd, path);
    std::vector<uint8_t> buffer(chunk_size);
    Checksum sum;
    for (uint64_t at = 0; at < end;) {
        const auto size = std::min<uint64_t>(buffer.size(), end - at);
        os::read_at(fd.get(), buffer.data(), size, at, path);
        sum.add(buffer.data(), size);
        at += size;
    }
    return fmt::format("{:016x}", sum.value());
}

} // namespace domsnap::memory
