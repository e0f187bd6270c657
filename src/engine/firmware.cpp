#include "engine/firmware.h"

#include "base/error.h"
#include "base/text.h"
#include "image/qemu_img.h"
#include "machine/firmware.h"
#include "machine/swtpm.h"
#include "model/firmware.h"
#include "os/file.h"

#include <fmt/format.h>

namespace domsnap::engine {

namespace {

[[noreturn]] void refuse(const model::Domain& domain, const std::string& why, const std::string& hint) {
    throw Error(ErrorCode::conflict, fmt::format("cannot run domain '{}': {}", domain.name, why), hint);
}

/// The bytes that the guest sees of it; nothing for a file that is not there.
std::optional<uint64_t> flash_size(const std::string& file, const std::string& format) {
    if (file.empty() || !os::exists(file)) return std::nullopt;
    return format == "qcow2" ? image::info(file, format).virtual_size : os::file_info(file)->size;
}

std::string template_content(const model::Domain& domain, const model::Nvram& nvram) {
    const std::string need = fmt::format("its NVRAM {} has to be made", nvram.file);
    if (nvram.template_file.empty())
        refuse(domain, need + ", and no template is known for its <loader>",
               "name it: <nvram template='/path'>");
    if (nvram.template_format != nvram.format)
        refuse(domain,
               fmt::format("{}, as {}, and its template {} is {}", need, nvram.format, nvram.template_file,
                           nvram.template_format),
               "convert the template with qemu-img convert, or say the same format for both");
    if (!os::exists(nvram.template_file))
        refuse(domain, fmt::format("{}, and its template {} is not there", need, nvram.template_file),
               "install the firmware that it belongs to (apt install ovmf)");
    return os::read_file(nvram.template_file, model::max_flash);
}

void make_nvram(const Session& session, const model::Domain& domain, const model::Nvram& nvram) {
    const auto content = template_content(domain, nvram);
    const auto folder = text::folder_of(nvram.file);
    if (folder == firmware_folder(session)) os::make_folders(folder);
    if (!os::exists(folder))
        refuse(domain, fmt::format("there is no folder {} for its NVRAM", folder),
               "make the folder, or name another");
    put_firmware(nvram.file, content);
}

/// A flash of another size is another machine, or none: QEMU's own words name neither file.
void check_size(const model::Domain& domain, const model::Nvram& nvram) {
    const auto size = *flash_size(nvram.file, nvram.format);
    const auto wanted = flash_size(nvram.template_file, nvram.template_format);
    const std::string hint = "domsnap start --reset-nvram makes a fresh one from its template";
    if (wanted && size != *wanted)
        refuse(domain,
               fmt::format("its NVRAM {} has {} bytes, and the template {} has {}", nvram.file, size,
                           nvram.template_file, *wanted),
               hint);
    if (size == 0 || size % 4096 != 0 || size > model::max_flash)
        refuse(domain, fmt::format("its NVRAM {} has {} bytes, which no flash has", nvram.file, size), hint);
    if (nvram.format == "qcow2" && !image::info(nvram.file, nvram.format).backing_path.empty())
        refuse(domain, fmt::format("its NVRAM {} has a backing file", nvram.file), "qemu-img rebase -b ''");
}

/// Snapshots' copies go with the last record; the NVRAM and the TPM as undefine was told.
bool is_kept(const View& view, const std::string& name, const Host::UndefineOptions& options) {
    const auto folder = firmware_folder(view);
    if (folder + "/" + name == model::tpm_folder(folder))
        return !options.tpm && (options.keep_tpm || model::keeps_tpm(view.definition()));
    return !options.nvram && folder + "/" + name == model::nvram_file(view.definition(), folder);
}

} // namespace

std::string firmware_folder(const View& view) {
    return store::firmware_folder(view.folders().state, view.definition().uuid);
}

model::Domain with_firmware(const Folders& folders, model::Domain domain) {
    const auto nvram = model::nvram_of(domain);
    const bool complete = !nvram || (!nvram->file.empty() && !nvram->template_file.empty());
    if (complete && !model::leaves_firmware_open(domain)) return domain;
    const auto folder = store::firmware_folder(folders.state, domain.uuid);
    machine::complete_firmware(domain, machine::installed_firmware(machine::firmware_folders()),
                               model::nvram_file(domain, folder));
    return domain;
}

void make_firmware_ready(const Session& session, const model::Domain& domain) {
    if (const auto nvram = model::nvram_of(domain)) {
        if (!os::exists(nvram->file)) make_nvram(session, domain, *nvram);
        check_size(domain, *nvram);
    }
    if (!model::has_tpm(domain)) return;
    os::make_folders(firmware_folder(session));
    machine::set_up_tpm(model::tpm_folder(firmware_folder(session)),
                        fmt::format("domain '{}'", text::printable(domain.name)));
}

void reset_nvram(const Session& session, const model::Domain& domain) {
    if (const auto nvram = model::nvram_of(domain)) make_nvram(session, domain, *nvram);
}

void add_flash_sizes(machine::CommandLineFacts& facts, const model::Domain& domain) {
    const auto add = [&](const char* node, const std::string& file, const std::string& format) {
        if (const auto size = flash_size(file, format); size && !facts.virtual_sizes.contains(node))
            facts.virtual_sizes[node] = *size;
    };
    if (const auto* loader = domain.document.at("os/loader"))
        add("pflash0", loader->text(), loader->attribute("format", "raw"));
    if (const auto nvram = model::nvram_of(domain)) {
        add("pflash1", nvram->file, nvram->format);
        add("pflash1", nvram->template_file, nvram->template_format);
    }
}

static constexpr const char* flash_block = "system.flash1"; // QEMU's name for the second flash

memory::BlockFile flash_file(const model::Domain& domain) {
    const auto nvram = model::nvram_of(domain);
    if (!nvram || nvram->format != "raw") return {};
    return {flash_block, nvram->file};
}

std::optional<memory::BlockContent> flash_content(const model::Domain& domain) {
    return kept_flash(flash_file(domain).file);
}

std::optional<memory::BlockContent> kept_flash(const std::string& copy) {
    if (copy.empty()) return std::nullopt;
    return memory::BlockContent{flash_block, os::read_file(copy, model::max_flash)};
}

static plan::KeptFacts look_at_kept(const std::string& file) {
    const auto info = os::file_info(file);
    return {file, info.has_value(), info ? info->size : 0};
}

void look_at_firmware(const View& view, plan::Facts& facts) {
    facts.firmware_folder = firmware_folder(view);
    if (const auto file = model::nvram_file(facts.live, facts.firmware_folder); !file.empty())
        facts.nvram = look_at_kept(file);
    if (model::has_tpm(facts.live)) facts.tpm = look_at_kept(model::tpm_file(facts.firmware_folder));
}

void check_undefine(const View& view, const Host::UndefineOptions& options) {
    const auto file = model::nvram_file(view.definition(), firmware_folder(view));
    if (file.empty() || !os::exists(file) || options.nvram || options.keep_nvram) return;
    throw Error(ErrorCode::conflict,
                fmt::format("Requested operation is not valid: cannot undefine domain '{}' with nvram {}",
                            view.name(), file),
                "--nvram removes it, --keep-nvram leaves it where it is");
}

std::vector<std::string> firmware_to_remove(const View& view, const Host::UndefineOptions& options) {
    std::vector<std::string> files;
    const auto folder = firmware_folder(view);
    const auto file = model::nvram_file(view.definition(), folder);
    if (options.nvram && !file.empty() && text::folder_of(file) != folder) files.push_back(file);
    bool kept = false;
    for (const auto& name : os::list_folder(folder)) {
        if (is_kept(view, name, options))
            kept = true;
        else
            files.push_back(folder + "/" + name);
    }
    if (!kept) files.push_back(folder);
    return files;
}

void put_firmware(const std::string& file, std::string_view content) {
    os::write_file_durably_among_others(file, content);
}

void remove_unfinished_firmware(const View& view) {
    const auto folder = firmware_folder(view);
    os::remove_unfinished(folder);
    os::remove_unfinished(model::tpm_folder(folder));
    const auto file = model::nvram_file(view.definition(), folder);
    if (!file.empty() && text::folder_of(file) != folder) os::remove_file_durably(os::temporary_of(file));
}

} // namespace domsnap::engine
