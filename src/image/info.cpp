// What the header of an image says, and the chain that the headers make. Headers are hostile input: a name in
// one is only ever taken for a file's.
#include "base/text.h"
#include "image/header.h"
#include "image/read_info.h"
#include "image/tool.h"
#include "os/file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

namespace domsnap::image {

using nlohmann::json;

static std::string shell_quoted(const std::string& word) {
    std::string quoted = "'";
    for (const char c : text::printable(word))
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

static InternalSnapshot snapshot_from(const json& entry) {
    return {.id = entry.at("id").get<std::string>(),
            .tag = entry.at("name").get<std::string>(),
            .vm_state_size = entry.at("vm-state-size").get<uint64_t>(),
            .date = entry.at("date-sec").get<int64_t>()};
}

static ImageInfo info_from(const json& answer, const std::string& path) {
    const json specific = answer.value(json::json_pointer("/format-specific/data"), json::object());
    ImageInfo info;
    info.path = path;
    info.format = answer.at("format").get<std::string>();
    info.virtual_size = answer.at("virtual-size").get<uint64_t>();
    info.actual_size = answer.value("actual-size", uint64_t{0});
    info.backing_path = named_file(answer.value("backing-filename", ""), path, "backing file");
    info.backing_format = answer.value("backing-filename-format", "");
    info.data_file = named_file(specific.value("data-file", ""), path, "data file");
    info.encrypted = answer.value("encrypted", false);
    info.corrupt = specific.value("corrupt", false);
    info.dirty = answer.value("dirty-flag", false);
    for (const json& entry : answer.value("snapshots", json::array()))
        info.snapshots.push_back(snapshot_from(entry));
    return info;
}

static ImageInfo ask(const std::string& path, const std::vector<std::string>& format_option) {
    const std::string image = existing_image(path);
    std::vector<std::string> arguments = {"info", "-U", "--output=json"};
    arguments.insert(arguments.end(), format_option.begin(), format_option.end());
    arguments.push_back(image);
    const auto result = qemu_img_or_fail(arguments, "read the header of", image);
    try {
        return info_from(json::parse(result.out), image);
    } catch (const json::exception& e) {
        throw Error(ErrorCode::refused_by_qemu, fmt::format("qemu-img's answer on '{}' is not understood: {}",
                                                            text::printable(image), e.what()));
    }
}

ImageInfo ask_qemu_img(const std::string& path, const std::string& format) {
    return ask(path, {"-f", format});
}

ImageInfo info(const std::string& path, const std::string& format) {
    regular_or_block(path); // qemu-img would wait for a pipe's other end
    try {
        if (auto known = read_info(path, format)) return *std::move(known);
    } catch (const Error&) { // qemu-img says what is wrong with it, or understands more of it
    }
    return ask_qemu_img(path, format);
}

std::string probe_format(const std::string& path) { return ask(path, {}).format; }

static void require_backing_format(const ImageInfo& top) {
    if (!top.backing_format.empty()) return;
    throw Error(ErrorCode::unsupported,
                fmt::format("the header of '{}' does not say in which format its backing file '{}' is",
                            text::printable(top.path), text::printable(top.backing_path)),
                fmt::format("write it there: qemu-img rebase -u -f {} -F FORMAT -b {} {}", top.format,
                            shell_quoted(top.backing_path), shell_quoted(top.path)));
}

[[noreturn]] static void refuse_backing(const ImageInfo& top, const std::string& why) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the header of '{}' names the backing file '{}', which {}", text::printable(top.path),
                    text::printable(top.backing_path), why),
        "where did that image come from? qemu-img rebase -u gives it the backing file that it should have");
}

void require_plain_backing(const ImageInfo& top) {
    if (!top.data_file.empty())
        throw Error(ErrorCode::unsupported,
                    fmt::format("the data of '{}' lies in another file, '{}': such images are not followed",
                                text::printable(top.path), text::printable(top.data_file)),
                    "qemu-img convert makes one file of them");
    if (top.backing_path.empty()) return;
    require_backing_format(top);
    const auto found = os::file_info(top.backing_path);
    if (!found) return;
    if (!found->is_regular && !found->is_block) refuse_backing(top, "is neither a file nor a block device");
    // Others (vmdk) name further files, by rules of their own.
    if (top.backing_format != "qcow2" && top.backing_format != "raw")
        refuse_backing(top,
                       fmt::format("is in the format '{}': below an image only qcow2 and raw are followed",
                                   text::printable(top.backing_format)));
    // A header that was made to show a guest the host's secrets names a text file elsewhere; disks are whole
    // sectors. Beside the image it is a disk of an odd size: overlays are made there, and must stay of use.
    if (top.backing_format == "raw" && found->is_regular && found->size % 512 != 0 &&
        text::folder_of(top.backing_path) != text::folder_of(top.path))
        refuse_backing(top, fmt::format("is no disk: it has {} bytes, not whole sectors", found->size));
}

static ImageInfo backing_of(const ImageInfo& top) {
    if (!os::exists(top.backing_path))
        throw Error(ErrorCode::not_found,
                    fmt::format("the backing file '{}' of '{}' does not exist",
                                text::printable(top.backing_path), text::printable(top.path)),
                    "put it back, or give the image another one with qemu-img rebase -u");
    return info(top.backing_path, top.backing_format);
}

namespace {
/// The files that were met on the way down, whatever their names.
class Met {
  public:
    /// False if it was met before; one that is not there is always new.
    bool add(const std::string& path) {
        const auto file = os::file_info(path);
        return !file || files_.emplace(file->device, file->inode).second;
    }

  private:
    std::set<std::pair<uint64_t, uint64_t>> files_;
};
} // namespace

std::vector<ImageInfo> chain(const std::string& path, const std::string& format) {
    std::vector<ImageInfo> images = {info(path, format)};
    Met met;
    met.add(images.front().path);
    for (;;) {
        const ImageInfo& top = images.back();
        require_plain_backing(top);
        if (top.backing_path.empty()) return images;
        if (!met.add(top.backing_path))
            throw Error(ErrorCode::corrupt,
                        fmt::format("the backing chain of '{}' is a loop: '{}' leads back to '{}'",
                                    text::printable(path), text::printable(top.path),
                                    text::printable(top.backing_path)));
        if (images.size() == 1000)
            throw Error(
                ErrorCode::unsupported,
                fmt::format("the backing chain of '{}' has more than 1,000 images", text::printable(path)),
                "merge some of them with qemu-img commit");
        images.push_back(backing_of(top));
    }
}

} // namespace domsnap::image
