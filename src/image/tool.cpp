#include "image/tool.h"

#include "base/text.h"
#include "image/qemu_img.h"
#include "os/file.h"
#include "os/file_system.h"

#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::image {

static std::string value_of(const char* variable) {
    const char* const value = std::getenv(variable);
    return value ? value : "";
}

static std::string beside_the_given_qemu() {
    const std::string qemu = value_of("DOMSNAP_QEMU");
    if (qemu.empty()) return {};
    const std::string found = os::find_program(qemu);
    return found.empty() ? "" : os::find_program(text::folder_of(found) + "/qemu-img");
}

std::string program() {
    if (const std::string wanted = value_of("DOMSNAP_QEMU_IMG"); !wanted.empty()) {
        if (const std::string found = os::find_program(wanted); !found.empty()) return found;
        throw Error(ErrorCode::not_found,
                    fmt::format("DOMSNAP_QEMU_IMG names '{}', which is no program", text::printable(wanted)),
                    "correct the variable, or unset it");
    }
    if (const std::string found = beside_the_given_qemu(); !found.empty()) return found;
    if (const std::string found = os::find_program("qemu-img"); !found.empty()) return found;
    throw Error(ErrorCode::not_found, "qemu-img is not installed (it is not on PATH)",
                "install the package qemu-utils (Debian, Ubuntu) or qemu-img (Fedora)");
}

os::RunResult qemu_img(std::vector<std::string> arguments, const os::RunOptions& options) {
    arguments.insert(arguments.begin(), program());
    return os::run(arguments, options);
}

os::RunResult qemu_img_or_fail(std::vector<std::string> arguments, const std::string& action,
                               const std::string& path, const os::RunOptions& options) {
    os::RunResult result = qemu_img(std::move(arguments), options);
    if (result.exit_code != 0) throw refusal(result, action, path);
    return result;
}

static std::string words_of(const os::RunResult& result) {
    std::vector<std::string> lines;
    for (const std::string& line : text::split(result.err, '\n')) {
        std::string_view words = text::trim(line);
        if (words.starts_with("qemu-img: ")) words.remove_prefix(10);
        if (!words.empty()) lines.push_back(text::printable(words));
    }
    if (!lines.empty()) return text::join(lines, "; ");
    if (result.exit_code > 128) return fmt::format("qemu-img was ended by signal {}", result.exit_code - 128);
    return fmt::format("qemu-img ended with exit code {}", result.exit_code);
}

static bool says(const std::string& words, std::string_view phrase) {
    return words.find(phrase) != std::string::npos;
}

Error refusal(const os::RunResult& result, const std::string& action, const std::string& path) {
    const std::string words = words_of(result);
    const std::string message = fmt::format("cannot {} '{}': {}", action, text::printable(path), words);
    if (says(words, "No space left on device") || says(words, "Disk quota exceeded"))
        return {ErrorCode::io, message,
                fmt::format("{} are free on its file system: make room",
                            text::human_size(os::free_space(text::folder_of(path))))};
    if (says(words, "\" lock"))
        return {ErrorCode::busy, message,
                "another program (a running QEMU?) has the image or one below it open"};
    if (says(words, "No such file or directory")) return {ErrorCode::not_found, message};
    if (says(words, "Permission denied") || says(words, "Read-only file system") ||
        says(words, "Input/output error"))
        return {ErrorCode::io, message};
    if (says(words, "Image is not in") || says(words, "marked corrupt") || says(words, "Image is corrupt"))
        return {ErrorCode::corrupt, message, "check it with qemu-img check"};
    return {ErrorCode::refused_by_qemu, message};
}

std::string new_image(const std::string& path) {
    try {
        static_cast<void>(nlohmann::json(path).dump());
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorCode::invalid_request,
                    fmt::format("the file name '{}' is not UTF-8", text::printable(path)), "rename the file");
    }
    return os::absolute_path(path);
}

std::string existing_image(const std::string& path) {
    const auto found = os::file_info(path);
    if (!found)
        throw Error(ErrorCode::not_found, fmt::format("there is no image file '{}'", text::printable(path)));
    if (found->is_folder)
        throw Error(ErrorCode::invalid_request,
                    fmt::format("'{}' is a folder, not an image", text::printable(path)));
    return new_image(path);
}

std::string regular_or_block(const std::string& path) {
    const std::string image = existing_image(path);
    const auto info = os::file_info(image);
    if (info && (info->is_regular || info->is_block)) return image;
    // Opening a pipe would wait for its other end.
    throw Error(ErrorCode::corrupt,
                fmt::format("'{}' is neither a file nor a block device", text::printable(path)));
}

std::string node(const std::string& absolute_path, const std::string& format, bool alone) {
    const auto info = os::file_info(absolute_path);
    nlohmann::json options = {
        {"driver", format},
        {"file", {{"driver", info && info->is_block ? "host_device" : "file"}, {"filename", absolute_path}}}};
    if (alone && format != "raw") options["backing"] = nullptr;
    return "json:" + options.dump();
}

void sync_image(const std::string& path) { os::sync_file(os::open_read(path), path); }

void make_durably(const std::string& image, const std::function<void(const os::Fd& file)>& fill) {
    const os::Fd file = os::create_exclusive(image);
    try {
        fill(file);
        os::sync_file(file, image);
        os::sync_folder(text::folder_of(image));
    } catch (...) {
        os::remove_file_durably(image);
        throw;
    }
}

} // namespace domsnap::image
