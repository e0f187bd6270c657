// Is an image sound, and are two of them equal.
#include "base/text.h"
#include "image/qemu_img.h"
#include "image/tool.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::image {

using nlohmann::json;

static CheckResult result_from(const json& answer) {
    CheckResult result;
    result.errors = answer.value("check-errors", uint64_t{0});
    result.leaks = answer.value("leaks", uint64_t{0});
    result.corruptions = answer.value("corruptions", uint64_t{0});
    result.clean = result.errors == 0 && result.leaks == 0 && result.corruptions == 0;
    result.words = result.clean ? "no errors were found"
                                : fmt::format("{} errors, {} corruptions and {} leaked clusters were found",
                                              result.errors, result.corruptions, result.leaks);
    return result;
}

// Without the backing chain: this asks about one image, and a missing one below it is somebody else's defect.
CheckResult check(const std::string& path, const std::string& format) {
    constexpr int not_supported = 63; // by the format (raw): there is nothing that could be wrong
    const std::string image = existing_image(path);
    const auto run = qemu_img({"check", "--output=json", node(image, format, true)});
    if (run.exit_code == not_supported)
        return {.clean = true,
                .words = fmt::format("images in the format '{}' hold nothing to check", format)};
    const json answer = json::parse(run.out, nullptr, false);
    if (!answer.is_object()) throw refusal(run, "check the image", image);
    return result_from(answer);
}

void repair_leaks(const std::string& path, const std::string& format) {
    const std::string image = existing_image(path);
    const auto run = qemu_img({"check", "-r", "leaks", "--output=json", node(image, format, true)});
    if (!json::parse(run.out, nullptr, false).is_object()) throw refusal(run, "repair the image", image);
    sync_image(image);
}

bool same_content(const std::string& a, const std::string& a_format, const std::string& b,
                  const std::string& b_format) {
    const ImageInfo first = chain(a, a_format).front(), second = chain(b, b_format).front();
    // qemu-img takes a longer image with zeros at its end for equal; a guest does not.
    if (first.virtual_size != second.virtual_size) return false;
    const auto run = qemu_img({"compare", "-q", "-f", a_format, "-F", b_format, first.path, second.path});
    if (run.exit_code > 1)
        throw refusal(run, fmt::format("compare with '{}' the image", text::printable(b)), first.path);
    return run.exit_code == 0;
}

} // namespace domsnap::image
