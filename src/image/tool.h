// One run of qemu-img and what its failure means. Private to the room. It does not know what the verbs do.
#pragma once

#include "os/fd.h"
#include "os/process.h"

#include <domsnap/error.h>
#include <functional>
#include <string>
#include <vector>

namespace domsnap::image {

/// Runs qemu-img and returns whatever came of it.
os::RunResult qemu_img(std::vector<std::string> arguments, const os::RunOptions& options = {});

/// Runs qemu-img; anything but exit code 0 is an Error: "cannot ACTION 'PATH': qemu-img's words".
os::RunResult qemu_img_or_fail(std::vector<std::string> arguments, const std::string& action,
                               const std::string& path, const os::RunOptions& options = {});

/// The Error for a run that failed; its code is taken from the words, since the exit code is 1 whatever
/// happened.
Error refusal(const os::RunResult& result, const std::string& action, const std::string& path);

/// The absolute path, which qemu-img takes for a file whatever characters are in it ("a:b" would be a
/// protocol, "-a" an option). Throws not_found if there is nothing there, invalid_request if the name is not
/// UTF-8: qemu-img's answers (JSON) and QMP could not say it.
std::string existing_image(const std::string& path);
/// The same; corrupt for what is neither a file nor a block device. Opening a pipe would wait for its other
/// end.
std::string regular_or_block(const std::string& path);
/// The same for a name at which there is nothing yet.
std::string new_image(const std::string& path);

/// A new file with what `fill` puts there, durable; removed again if that fails. image: by new_image().
void make_durably(const std::string& image, const std::function<void(const os::Fd& file)>& fill);

/// A name of an opened image that says format and file, for the verbs that have no -f in QEMU 7.2. alone:
/// without its backing chain.
std::string node(const std::string& absolute_path, const std::string& format, bool alone = false);

/// What qemu-img changed survives a power cut.
void sync_image(const std::string& path);

} // namespace domsnap::image
