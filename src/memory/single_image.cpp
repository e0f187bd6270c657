#include "memory/single_image.h"

#include "base/text.h"
#include "memory/bytes.h"
#include "memory/identity.h"
#include "memory/image_format.h"
#include "memory/incremental_format.h"
#include "os/file.h"

#include <algorithm>
#include <array>
#include <endian.h>
#include <fmt/format.h>

namespace domsnap::memory {

static std::string read_bytes(const ImageFile& file, uint64_t offset, uint64_t size) {
    std::string bytes(size, '\0');
    os::read_at(file.fd.get(), bytes.data(), size, offset, file.path);
    return bytes;
}

static ImageFile open_file(const std::string& path) {
    // Asked before it is opened: opening a FIFO would wait for a writer.
    const auto info = os::file_info(path);
    if (!info)
        throw Error(ErrorCode::not_found,
                    fmt::format("there is no memory image '{}'", text::printable(path)));
    if (!info->is_regular)
        throw Error(ErrorCode::corrupt, fmt::format("'{}' is not a memory image: it is not a regular file",
                                                    text::printable(path)));
    return {os::open_read(path), path, info->size};
}

static Trailer read_trailer(const ImageFile& file) {
    if (file.size < trailer_size) throw file.without_trailer();
    Trailer trailer;
    switch (decode(read_bytes(file, file.size - trailer_size, trailer_size), trailer)) {
    case Finding::foreign:
        throw file.without_trailer();
    case Finding::altered:
        throw file.altered("the checksum of its trailer is wrong");
    case Finding::newer:
        throw file.newer();
    case Finding::good:
        break;
    }
    if (trailer.file_size != file.size) throw file.altered("its trailer belongs to a file of another size");
    return trailer;
}

std::string image_hash(const std::string& path) {
    const ImageFile file = open_file(path);
    read_trailer(file);
    uint64_t checksum = 0;
    os::read_at(file.fd.get(), &checksum, sizeof checksum, file.size - sizeof checksum, path);
    return fmt::format("{:016x}", le64toh(checksum));
}

static void check_mark(const ImageFile& file, const Trailer& trailer) {
    const uint64_t at = trailer.mark_offset;
    if (file.size < mark_size || at > file.size - mark_size || at % page_size != 0)
        throw file.altered("its trailer names no mark");
    Mark mark;
    if (decode(read_bytes(file, at, mark_size), mark) != Finding::good || mark.offset != at ||
        mark.final_size != file.size)
        throw file.altered("its mark and its trailer disagree");
}

// Sections, table and trailer without gaps or overlaps: nothing in the file is outside a checksum.
static std::vector<Section> read_table(const ImageFile& file, const Trailer& trailer) {
    const bool fits = trailer.sections <= max_sections &&
                      trailer.table_size == trailer.sections * section_entry_size &&
                      trailer.table_offset <= file.size &&
                      file.size - trailer.table_offset == trailer.table_size + trailer_size;
    if (!fits) throw file.altered("its trailer names no table of sections");
    const std::string bytes = read_bytes(file, trailer.table_offset, trailer.table_size);
    if (checksum(bytes.data(), bytes.size()) != trailer.table_checksum)
        throw file.altered("the checksum of its table of sections is wrong");
    std::vector<Section> table = decode_table(bytes);
    uint64_t at = trailer.mark_offset + mark_size;
    for (const Section& section : table) {
        if (section.offset != at || section.size > trailer.table_offset - at)
            throw file.altered("its sections do not follow each other");
        at += section.size;
    }
    if (at != trailer.table_offset) throw file.altered("its sections do not follow each other");
    return table;
}

static void check_sum(const ImageFile& file, const Section& section, const void* data) {
    if (checksum(data, section.size) == section.checksum) return;
    throw file.altered(
        fmt::format("the checksum of its {} is wrong", to_string(static_cast<SectionType>(section.type))));
}

namespace {
/// The known sections by type; each is there exactly once.
class Sections {
  public:
    Sections(const ImageFile& file, const std::vector<Section>& table) : file_(file) {
        for (const Section& section : table) {
            if (!is_known(section.type)) {
                pass_unknown(section);
            } else if (const Section*& known = known_[section.type]; known) {
                throw file.altered("one of its sections is there twice");
            } else {
                known = &section;
            }
        }
    }
    bool has(SectionType type) const { return known_[static_cast<size_t>(type)] != nullptr; }
    std::string text(SectionType type, size_t limit) const {
        const Section& section = sized(type, 0, limit);
        std::string bytes = read_bytes(file_, section.offset, section.size);
        check_sum(file_, section, bytes.data());
        return bytes;
    }
    template <typename T>
    std::vector<T> array(SectionType type, uint64_t count) const {
        const Section& section = sized(type, count * sizeof(T), count * sizeof(T));
        std::vector<T> values(count);
        os::read_at(file_.fd.get(), values.data(), section.size, section.offset, file_.path);
        check_sum(file_, section, values.data());
        return values;
    }

  private:
    const Section& sized(SectionType type, uint64_t least, uint64_t most) const {
        const Section* const section = known_[static_cast<size_t>(type)];
        if (!section) throw file_.altered(fmt::format("its {} is missing", to_string(type)));
        if (section->size < least || section->size > most)
            throw file_.altered(fmt::format("its {} has a wrong size", to_string(type)));
        return *section;
    }
    // In pieces: there is no limit to what a later version may put here.
    void pass_unknown(const Section& section) const {
        if (section.mandatory) throw file_.newer();
        Checksum sum;
        for (uint64_t at = 0; at < section.size; at += piece) {
            const std::string bytes =
                read_bytes(file_, section.offset + at, std::min(piece, section.size - at));
            sum.add(bytes.data(), bytes.size());
        }
        if (sum.value() != section.checksum)
            throw file_.altered(fmt::format("the checksum of its section {} is wrong", section.type));
    }
    static constexpr uint64_t piece = 1 << 20;

    const ImageFile& file_;
    std::array<const Section*, last_known_section + 1> known_{};
};
} // namespace

static std::vector<RamBlock> read_blocks(const ImageFile& file, const Trailer& trailer,
                                         const Sections& sections, uint32_t& ram_section_id) {
    constexpr size_t longest = 8 + max_blocks * (17 + 255);
    auto blocks = decode_blocks(sections.text(SectionType::ram_blocks, longest), ram_section_id);
    if (!blocks || ram_end(*blocks) != trailer.mark_offset)
        throw file.altered("its table of RAM blocks is impossible");
    return *std::move(blocks);
}

static ImageLink read_link(const ImageFile& file, const Trailer& trailer, const Sections& sections) {
    ImageLink link;
    link.hash = from_little<uint64_t>(encode(trailer).data() + trailer_size - 8);
    const auto required = [&](auto decoded, SectionType type) {
        if (!decoded) throw file.altered(fmt::format("its {} is impossible", to_string(type)));
        return *std::move(decoded);
    };
    constexpr auto parent = SectionType::parent, before = SectionType::names_of_before;
    if (sections.has(parent))
        link.parent = required(decode_parent(sections.text(parent, 8 + max_parent_path)), parent);
    if (sections.has(before))
        link.names_of_before =
            required(decode_hashes(sections.text(before, 8 * max_names_of_before)), before);
    return link;
}

static void read_whole_tables(SingleImage& image, const Sections& sections, uint64_t pages) {
    image.states = sections.array<PageState>(SectionType::page_states, pages);
    image.checksums = sections.array<uint64_t>(SectionType::page_checksums, pages);
    if (std::ranges::any_of(image.states, [](PageState s) { return s > PageState::data; }))
        throw image.file.altered("a page has an unknown state");
}

// Nothing is allocated that the file's own size does not bear, but for what the number of pages asks.
static void read_runs(SingleImage& image, const Sections& sections, uint64_t pages) {
    auto states = decode_runs(sections.text(SectionType::page_states, 4 * pages), pages);
    if (!states) throw image.file.altered("its page states are impossible");
    image.states = *std::move(states);
    const auto data = static_cast<uint64_t>(std::ranges::count(image.states, PageState::data));
    image.checksums = with_gaps(image.states, sections.array<uint64_t>(SectionType::page_checksums, data));
}

SingleImage read_single_image(const std::string& path) {
    SingleImage image;
    image.file = open_file(path);
    const Trailer trailer = read_trailer(image.file);
    check_mark(image.file, trailer);
    const std::vector<Section> table = read_table(image.file, trailer);
    const Sections sections(image.file, table);
    image.link = read_link(image.file, trailer, sections);
    image.stream_header = sections.text(SectionType::stream_header, max_stream_header);
    image.device_state = sections.text(SectionType::device_state, max_device_state);
    image.vm_description = sections.text(SectionType::vm_description, max_vm_description);
    image.identity = identity_from_json(sections.text(SectionType::identity, max_identity));
    image.blocks = read_blocks(image.file, trailer, sections, image.ram_section_id);
    const uint64_t pages = page_count(image.blocks);
    (image.link.parent ? read_runs : read_whole_tables)(image, sections, pages);
    return image;
}

bool ImageLink::is_named(uint64_t wanted) const {
    return hash == wanted || std::ranges::find(names_of_before, wanted) != names_of_before.end();
}

ImageLink image_link(const std::string& path) {
    const ImageFile file = open_file(path);
    const Trailer trailer = read_trailer(file);
    check_mark(file, trailer);
    const std::vector<Section> table = read_table(file, trailer);
    return read_link(file, trailer, Sections(file, table));
}

std::vector<std::string> files_of_image(const std::string& path) {
    std::vector<std::string> files;
    try {
        for (auto at = path; files.size() < max_chain && !at.empty();) {
            files.push_back(at);
            if (!os::exists(at)) break;
            const auto link = image_link(at);
            at = link.parent ? parent_file(at, *link.parent) : "";
        }
    } catch (const Error&) { // what can be told of it is told by whoever reads it
    }
    return files;
}

std::string parent_file(const std::string& image_path, const ParentLink& link) {
    if (os::exists(link.path)) return link.path;
    const std::string beside = text::folder_of(image_path) + "/" + text::base_name(link.path);
    return os::exists(beside) ? beside : link.path;
}

} // namespace domsnap::memory
