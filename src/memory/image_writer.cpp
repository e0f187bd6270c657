#include "memory/image_writer.h"

#include "base/text.h"
#include "memory/identity.h"
#include "memory/incremental_format.h"
#include "os/file.h"
#include "os/file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <domsnap/error.h>
#include <fmt/format.h>

namespace domsnap::memory {

static constexpr size_t longest_run = 1024;                    // IOV_MAX: one system call
static constexpr uint64_t writeback_step = uint64_t{64} << 20; // fsync finds at most about this much left

ImageWriter::ImageWriter(const os::Fd& file, std::string path, const ImageReader* parent)
    : file_(file), path_(std::move(path)), parent_(parent) {
    run_.reserve(longest_run);
}

void ImageWriter::begin(uint32_t ram_section_id, const std::vector<StreamBlock>& blocks) {
    ram_section_id_ = ram_section_id;
    blocks_ = lay_out(blocks);
    uint64_t pages = 0;
    for (const RamBlock& block : blocks_) {
        first_page_.push_back(pages);
        pages += block.length / page_size;
    }
    states_.assign(pages, PageState::absent);
    checksums_.assign(pages, 0);
    mark_offset_ = ram_end(blocks_);
    if (parent_ && have_same_blocks(parent_->blocks(), blocks_)) parent_pages_.emplace(*parent_);
    os::resize_file(file_, 0, path_);
    write(encode(Mark{mark_offset_, 0}), mark_offset_);
}

void ImageWriter::put(std::span<const PageRecord> pages) {
    for (const PageRecord& page : pages) {
        const uint64_t index = first_page_[page.block] + page.offset / page_size;
        ++(states_[index] == PageState::absent ? seen_ : repeated_);
        const uint64_t offset = blocks_[page.block].offset + page.offset;
        if (page.data)
            put_data(page, index, offset);
        else
            put_hole(index, offset, PageState::zero);
    }
    flush_run();
}

void ImageWriter::put_as_parent(size_t block, uint64_t page) {
    put_hole(first_page_[block] + page, blocks_[block].offset + page * page_size, PageState::as_parent);
}

void ImageWriter::put_data(const PageRecord& page, uint64_t index, uint64_t offset) {
    const uint64_t sum = checksum(page.data, page_size);
    if (parent_pages_ && parent_pages_->holds(page.block, page.offset / page_size, page.data, sum))
        return put_hole(index, offset, PageState::as_parent);
    if (offset != run_end_ || run_.size() == longest_run) flush_run();
    if (run_.empty()) run_offset_ = offset;
    run_.push_back({page.data, page_size});
    run_end_ = offset + page_size;
    states_[index] = PageState::data;
    checksums_[index] = sum;
}

void ImageWriter::put_hole(uint64_t index, uint64_t offset, PageState state) {
    if (states_[index] == PageState::data) {
        flush_run(); // the page may be in it
        os::punch_hole(file_, offset, page_size, path_);
    }
    states_[index] = state;
    checksums_[index] = 0;
}

void ImageWriter::flush_run() {
    if (run_.empty()) return;
    write(run_, run_offset_);
    run_.clear();
    write_back_now_and_then(run_end_ - run_offset_);
}

void ImageWriter::write_back_now_and_then(uint64_t written) {
    written_ += written;
    not_written_back_ += written;
    if (not_written_back_ < writeback_step) return;
    os::start_writeback(file_);
    not_written_back_ = 0;
}

static Error cannot_write(const std::string& path, int error_number, uint64_t needed) {
    const std::string what = fmt::format("cannot write the memory image '{}': {}", text::printable(path),
                                         std::strerror(error_number));
    if (error_number != ENOSPC && error_number != EDQUOT && error_number != EFBIG)
        return {ErrorCode::io, what};
    return {ErrorCode::io,
            fmt::format("{} ({} are free, up to {} more are needed)", what,
                        text::human_size(os::free_space(path)), text::human_size(needed)),
            "free some space, or name a file on another file system"};
}

void ImageWriter::write(std::span<const os::Piece> pieces, uint64_t offset) {
    const int error_number = os::write_pieces_at(file_.get(), pieces, offset);
    if (error_number == 0) return;
    const uint64_t metadata = states_.size() * (1 + sizeof(uint64_t));
    const uint64_t most = total_bytes() + metadata;
    throw cannot_write(path_, error_number, most - std::min(most, written_));
}

void ImageWriter::write(std::string_view bytes, uint64_t offset) {
    const os::Piece piece{bytes.data(), bytes.size()};
    write({&piece, 1}, offset);
}

uint64_t ImageWriter::main_ram_size() const {
    for (const RamBlock& block : blocks_)
        if (block.offset == 0) return block.length;
    return 0;
}

ImageWriter::Counts ImageWriter::counts() const {
    const auto of = [&](PageState state) {
        return static_cast<uint64_t>(std::ranges::count(states_, state));
    };
    return {.data_pages = of(PageState::data),
            .zero_pages = of(PageState::zero),
            .parent_pages = of(PageState::as_parent),
            .repeated_pages = repeated_};
}

namespace {
/// Sections, table and where each lies: gathered first, written with one call.
struct Metadata {
    uint64_t end;
    std::vector<os::Piece> pieces;
    std::vector<Section> table;

    void add(SectionType type, const void* data, size_t size, bool mandatory = true) {
        table.push_back({static_cast<uint32_t>(type), mandatory, end, size, checksum(data, size)});
        if (size > 0) pieces.push_back({data, size});
        end += size;
    }
    void add(SectionType type, std::string_view bytes, bool mandatory = true) {
        add(type, bytes.data(), bytes.size(), mandatory);
    }
};
} // namespace

/// The two tables in the form that the image has, and what it rests on.
struct ImageWriter::Tables {
    std::string runs, parent, before;
    std::vector<uint64_t> dense;
};

ImageWriter::Tables ImageWriter::tables(const Parts& parts) const {
    Tables tables;
    tables.before = encode_hashes(parts.names_of_before);
    if (std::ranges::find(states_, PageState::as_parent) == states_.end()) return tables;
    tables.parent = encode(ParentLink{parent_->hash(), os::absolute_path(parent_->path())});
    tables.runs = encode_runs(states_);
    tables.dense = without_gaps(states_, checksums_);
    return tables;
}

void ImageWriter::finish(const Parts& parts) {
    ImageIdentity identity = parts.identity;
    identity.ram_size = main_ram_size();
    const std::string json = identity_to_json(identity), block_table = encode(blocks_, ram_section_id_);
    const Tables compact = tables(parts);

    Metadata metadata{mark_offset_ + mark_size, {}, {}};
    metadata.add(SectionType::stream_header, parts.stream_header);
    metadata.add(SectionType::device_state, parts.device_state);
    metadata.add(SectionType::vm_description, parts.vm_description);
    metadata.add(SectionType::ram_blocks, block_table);
    if (compact.parent.empty()) {
        metadata.add(SectionType::page_states, states_.data(), states_.size());
        metadata.add(SectionType::page_checksums, checksums_.data(), checksums_.size() * sizeof(uint64_t));
    } else {
        metadata.add(SectionType::page_states, compact.runs);
        metadata.add(SectionType::page_checksums, compact.dense.data(),
                     compact.dense.size() * sizeof(uint64_t));
        metadata.add(SectionType::parent, compact.parent);
    }
    metadata.add(SectionType::identity, json);
    if (!compact.before.empty()) metadata.add(SectionType::names_of_before, compact.before, false);
    finish_file(metadata.pieces, metadata.table, metadata.end);
}

void ImageWriter::finish_file(std::vector<os::Piece> pieces, const std::vector<Section>& sections,
                              uint64_t end) {
    const std::string table = encode(sections);
    pieces.push_back({table.data(), table.size()});
    const Trailer trailer{.sections = static_cast<uint32_t>(sections.size()),
                          .mark_offset = mark_offset_,
                          .table_offset = end,
                          .table_size = table.size(),
                          .table_checksum = checksum(table.data(), table.size()),
                          .file_size = end + table.size() + trailer_size};
    write(pieces, mark_offset_ + mark_size);
    write(encode(Mark{mark_offset_, trailer.file_size}), mark_offset_);
    os::sync_file(file_, path_); // the trailer vouches for what is durable already
    write(encode(trailer), trailer.file_size - trailer_size);
    os::sync_file(file_, path_);
}

} // namespace domsnap::memory
