#include "memory/capture_parts.h"

#include "base/text.h"
#include "os/bulk.h"

#include <fmt/format.h>

namespace domsnap::memory {

std::optional<ImageReader> open_parent(const std::string& path, std::string& why_not) {
    try {
        if (!path.empty()) return ImageReader::open(path);
    } catch (const std::exception& e) {
        why_not = e.what();
    }
    return std::nullopt;
}

std::string other_blocks(const std::string& parent) {
    return fmt::format("the guest's blocks of RAM are others than those of '{}'", text::printable(parent));
}

void note(CaptureResult& result, const ImageWriter::Counts& counts) {
    result.parent_pages = counts.parent_pages;
    result.data_pages = counts.data_pages;
    result.zero_pages = counts.zero_pages;
    result.repeated_pages = counts.repeated_pages;
}

void note(CaptureResult& result, std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const Error& e) {
        result.code = e.code();
        result.error = e.what();
        result.hint = e.hint();
    } catch (const std::exception& e) {
        result.error = std::string("the capture of the memory failed: ") + e.what();
    }
}

void give_room_back(const os::Fd& image, const std::string& path) {
    try {
        os::resize_file(image, 0, path);
    } catch (const Error&) {
        // A reader knows it for torn anyway.
    }
}

} // namespace domsnap::memory
