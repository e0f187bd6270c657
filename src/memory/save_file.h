// A guest's memory as libvirt saves it: a header, the domain's XML, then QEMU's migration stream, perhaps
// compressed (docs/formats/libvirt-save.md). Read in place and never written: what libvirt left can be gone
// back to by libvirt, too. Hostile input. Does not know XML, and not what the pages are for.
#pragma once

#include "memory/byte_source.h"
#include "memory/image.h"
#include "memory/unpack.h"

#include <domsnap/error.h>
#include <domsnap/progress.h>
#include <memory>
#include <string>

namespace domsnap::memory {

class SaveFile {
  public:
    /// By its first bytes, also one that libvirt did not finish. False for what is not there.
    static bool is_one(const std::string& path);
    /// Reads the header and the XML. Errors: not_found, io; corrupt (none of libvirt's, not finished, cut
    /// short), unsupported (of a newer version, packed in a way that cannot be read).
    static SaveFile open(const std::string& path);

    const std::string& path() const { return path_; }
    const std::string& domain_xml() const { return xml_; }
    Packing packing() const { return packing_; }
    bool was_running() const { return was_running_; } ///< else its guest was paused, and is to stay so
    /// Where the stream begins, and where the file ended when it was opened.
    uint64_t begin() const { return begin_; }
    uint64_t size() const { return size_; }

  private:
    SaveFile() = default;
    std::string path_, xml_;
    Packing packing_ = Packing::none;
    bool was_running_ = false;
    uint64_t begin_ = 0, size_ = 0;
};

/// The stream in it, unpacked. Errors: io; corrupt where what is packed is damaged or cut short.
class SavedStream : public ByteSource {
  public:
    explicit SavedStream(const SaveFile& file);
    std::span<uint8_t> next() override;
    uint64_t at() const { return at_; } ///< in the file

  private:
    void refill();
    void unpack(std::span<uint8_t>& room);

    std::string path_;
    os::Fd fd_;
    uint64_t at_, end_;
    std::unique_ptr<Decoder> decoder_;
    std::vector<uint8_t> chunk_, packed_;
    std::span<const uint8_t> left_; ///< of packed_
};

/// Whether the stream can be parsed to its end: all that can be known of it, for it has no checksums. Errors:
/// corrupt, unsupported, cancelled.
void verify_stream(const SaveFile& file, const VerifyHooks* hooks = nullptr);

/// The unpacked stream to out, for -incoming. Throws as write_stream of an image.
void write_stream(const SaveFile& file, int out, const Control& control);

/// XXH3-64 of all its bytes, 16 hexadecimal digits.
std::string save_file_hash(const std::string& path);

} // namespace domsnap::memory
