#include "memory/image.h"

#include "base/text.h"
#include "memory/image_format.h"
#include "memory/single_image.h"
#include "os/file.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::memory {

struct ImageReader::State {
    std::vector<ImageFile> files; ///< itself, its parent, that one's …
    std::vector<ImageLayer> layers;
    SingleImage top; ///< but its file
    std::vector<uint64_t> first_page;
    std::vector<PageState>& states = top.states; ///< resolved as far as the layers were looked at
    std::vector<uint64_t>& checksums = top.checksums;
    std::vector<uint8_t> layer_of;
    uint64_t data_pages = 0;

    void add_layer(SingleImage& image);
    void resolve(const SingleImage& below);
};

void ImageReader::State::add_layer(SingleImage& image) {
    layers.push_back({image.file.path, image.link.hash});
    files.push_back(std::move(image.file));
}

/// What no image above says.
void ImageReader::State::resolve(const SingleImage& below) {
    const auto number = static_cast<uint8_t>(layers.size());
    for (size_t page = 0; page < states.size(); ++page) {
        if (states[page] != PageState::as_parent) continue;
        states[page] = below.states[page];
        checksums[page] = below.checksums[page];
        layer_of[page] = number;
    }
}

static Error cannot_rest(const ImageFile& child, const std::string& path, ErrorCode code,
                         const std::string& words) {
    return {code,
            fmt::format("memory image '{}' rests on '{}'{}", text::printable(child.path),
                        text::printable(path), words),
            "bring that file back from a backup"};
}

static SingleImage read_parent(const ImageFile& child, const ParentLink& link,
                               const std::vector<RamBlock>& blocks) {
    const std::string path = parent_file(child.path, link);
    if (!os::exists(path)) throw cannot_rest(child, path, ErrorCode::not_found, ", which is not there");
    SingleImage parent;
    try {
        parent = read_single_image(path);
    } catch (const Error& error) {
        throw cannot_rest(child, path, error.code(), fmt::format(": {}", error.what()));
    }
    if (!parent.link.is_named(link.hash))
        throw cannot_rest(child, path, ErrorCode::corrupt, ", and that is another image now");
    if (!have_same_blocks(parent.blocks, blocks))
        throw child.altered("the image that it rests on has other blocks of RAM");
    return parent;
}

ImageReader ImageReader::open(const std::string& path) {
    auto state = std::make_unique<State>();
    State& s = *state;
    s.top = read_single_image(path);
    s.layer_of.assign(s.states.size(), 0);
    s.add_layer(s.top);
    for (auto link = s.top.link.parent; link;) {
        if (s.layers.size() == max_chain)
            throw s.files.front().altered(fmt::format("it rests on more than {} others", max_chain - 1));
        SingleImage parent = read_parent(s.files.back(), *link, s.top.blocks);
        s.resolve(parent);
        link = parent.link.parent;
        s.add_layer(parent);
    }
    uint64_t pages = 0;
    for (const RamBlock& block : s.top.blocks) {
        s.first_page.push_back(pages);
        pages += block.length / page_size;
    }
    s.data_pages = static_cast<uint64_t>(std::ranges::count(s.states, PageState::data));
    return ImageReader(std::move(state));
}

ImageReader::ImageReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageReader::ImageReader(ImageReader&&) noexcept = default;
ImageReader::~ImageReader() = default;

const std::string& ImageReader::path() const { return state_->files.front().path; }
const ImageIdentity& ImageReader::identity() const { return state_->top.identity; }
const std::vector<RamBlock>& ImageReader::blocks() const { return state_->top.blocks; }
const std::string& ImageReader::stream_header() const { return state_->top.stream_header; }
uint64_t ImageReader::hash() const { return state_->top.link.hash; }
const ImageLink& ImageReader::link() const { return state_->top.link; }
uint32_t ImageReader::ram_section_id() const { return state_->top.ram_section_id; }
const std::string& ImageReader::device_state() const { return state_->top.device_state; }
const std::string& ImageReader::vm_description() const { return state_->top.vm_description; }
uint64_t ImageReader::data_pages() const { return state_->data_pages; }
const std::vector<ImageLayer>& ImageReader::layers() const { return state_->layers; }

PageState ImageReader::state(size_t block, uint64_t page) const {
    return state_->states[state_->first_page[block] + page];
}

size_t ImageReader::layer(size_t block, uint64_t page) const {
    return state_->layer_of[state_->first_page[block] + page];
}

uint64_t ImageReader::checksum(size_t block, uint64_t page) const {
    return state_->checksums[state_->first_page[block] + page];
}

void ImageReader::read_unverified(size_t block, uint64_t first, uint64_t count, void* into) const {
    auto bytes = static_cast<uint8_t*>(into);
    for (const uint64_t end = first + count; first < end;) {
        uint64_t run = 1;
        while (first + run < end && layer(block, first + run) == layer(block, first))
            ++run;
        read_of_one_layer(block, first, run, bytes);
        first += run;
        bytes += run * page_size;
    }
}

void ImageReader::read_of_one_layer(size_t block, uint64_t first, uint64_t count, uint8_t* into) const {
    const ImageFile& file = state_->files[layer(block, first)];
    os::read_at(file.fd.get(), into, count * page_size, blocks()[block].offset + first * page_size, file.path);
}

void ImageReader::verify(size_t block, uint64_t page, const void* content) const {
    if (memory::checksum(content, page_size) == checksum(block, page)) return;
    throw state_->files[layer(block, page)].altered(fmt::format(
        "the checksum of page {} of '{}' is wrong", page, text::printable(blocks()[block].name)));
}

void ImageReader::read_pages(size_t block, uint64_t first, uint64_t count, void* into) const {
    read_unverified(block, first, count, into);
    for (uint64_t i = 0; i < count; ++i)
        verify(block, first + i, static_cast<const uint8_t*>(into) + i * page_size);
}

} // namespace domsnap::memory
