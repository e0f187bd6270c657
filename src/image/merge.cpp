// Moving data between images, most often of one chain. Stopped or killed in the midst, each of these leaves a
// chain with the same content as before: qemu-img changes a header last.
#include "base/text.h"
#include "image/qemu_img.h"
#include "image/tool.h"
#include "os/file.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace domsnap::image {

namespace {

/// Reads the lines of -p, "    (12.34/100%)" and a carriage return each, however they are cut.
class PercentLines {
  public:
    PercentLines(const Control& control, std::string what, uint64_t total)
        : control_(control), what_(std::move(what)), total_(total) {}

    void operator()(std::string_view data) {
        pending_ += data;
        for (size_t end; (end = pending_.find('\r')) != std::string::npos; pending_.erase(0, end + 1))
            line(std::string_view(pending_).substr(0, end));
    }

  private:
    void line(std::string_view text) {
        const auto open = text.find('(');
        if (open == std::string_view::npos) return;
        double percent = 0;
        const auto [end, error] = std::from_chars(text.data() + open + 1, text.data() + text.size(), percent);
        if (error != std::errc{} || end == text.data() + text.size() || *end != '/') return;
        const double part = std::clamp(percent, 0.0, 100.0) / 100;
        control_.report(what_, static_cast<uint64_t>(part * static_cast<double>(total_)), total_);
    }

    const Control& control_;
    std::string what_, pending_;
    uint64_t total_;
};

} // namespace

static void run_long(std::vector<std::string> arguments, const std::string& action, const std::string& image,
                     uint64_t total, const Control& control) {
    os::RunOptions options;
    options.should_stop = [&control] { return control.cancelled(); };
    options.on_output = PercentLines(control, text::base_name(image), total);
    try {
        qemu_img_or_fail(std::move(arguments), action, image, options);
    } catch (const Error& e) {
        if (e.code() != ErrorCode::cancelled) throw;
        throw Error(ErrorCode::cancelled, fmt::format("stopped as asked: {} '{}'; its content is what it was",
                                                      action, text::printable(image)));
    }
}

static const ImageInfo& member(const std::vector<ImageInfo>& images, const std::string& base) {
    const auto wanted = os::file_info(existing_image(base));
    for (size_t i = 1; i < images.size(); ++i) {
        const auto candidate = os::file_info(images[i].path);
        if (candidate && candidate->is_same_file(*wanted)) return images[i];
    }
    throw Error(ErrorCode::conflict,
                fmt::format("'{}' is not below '{}' in its backing chain", text::printable(base),
                            text::printable(images.front().path)));
}

// -d: the top is not emptied afterwards; the caller removes it. Without it the work would be done twice.
void commit(const std::string& path, const std::string& format, const std::string& base,
            const Control& control) {
    const auto images = chain(path, format);
    const ImageInfo& top = images.front();
    const ImageInfo& below = member(images, base);
    run_long({"commit", "-p", "-d", "-f", format, "-b", below.path, top.path},
             "merge into what is below it the image", top.path, top.actual_size, control);
    sync_image(below.path);
}

void rebase(const std::string& path, const std::string& format, const std::string& new_backing,
            const std::string& new_backing_format, bool unsafe, const Control& control) {
    // Unsafe is for a chain that is broken (its backing file was moved): only this one header is looked at.
    const ImageInfo top = unsafe ? info(path, format) : chain(path, format).front();
    if (!new_backing.empty())
        unsafe ? info(new_backing, new_backing_format) : chain(new_backing, new_backing_format).front();
    std::vector<std::string> arguments = {"rebase", "-p", "-f", format, "-b", new_backing};
    if (unsafe) arguments.emplace_back("-u");
    if (!new_backing.empty()) arguments.insert(arguments.end(), {"-F", new_backing_format});
    arguments.push_back(top.path);
    run_long(arguments, "change the backing file of", top.path, top.virtual_size, control);
    sync_image(top.path);
}

void copy(const std::string& from, const std::string& format, const std::string& to,
          const std::string& to_format, uint64_t virtual_size, const Control& control) {
    const ImageInfo top = chain(from, format).front();
    const std::string image = new_image(to);
    make_durably(image, [&](const os::Fd&) {
        run_long({"convert", "-p", "-f", format, "-O", to_format, top.path, image}, "copy the image",
                 top.path, top.virtual_size, control);
        if (virtual_size > top.virtual_size) resize(image, to_format, virtual_size, false);
    });
}

void resize(const std::string& path, const std::string& format, uint64_t virtual_size, bool shrink) {
    const std::string image = existing_image(path);
    std::vector<std::string> arguments = {"resize", "-q", "-f", format, image, std::to_string(virtual_size)};
    if (shrink) arguments.insert(arguments.begin() + 1, "--shrink");
    qemu_img_or_fail(std::move(arguments), "resize the image", image);
    sync_image(image);
}

} // namespace domsnap::image
