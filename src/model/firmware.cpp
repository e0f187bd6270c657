#include "model/firmware.h"

namespace domsnap::model {

static const Element* loader_of(const Domain& domain) { return domain.document.at("os/loader"); }

static bool is_efi(const Domain& domain) {
    const auto* os = domain.document.child("os");
    const auto* loader = loader_of(domain);
    const bool flash = loader && loader->attribute("type") == "pflash";
    return flash || (os && (os->attribute("firmware") == "efi" || os->child("nvram")));
}

static bool is_stateless(const Domain& domain) {
    const auto* loader = loader_of(domain);
    return loader && loader->attribute("stateless") == "yes";
}

std::optional<Nvram> nvram_of(const Domain& domain) {
    if (!is_efi(domain) || is_stateless(domain)) return std::nullopt;
    Nvram nvram{{}, "raw", {}, {}};
    if (const auto* element = domain.document.at("os/nvram")) {
        const auto* source = element->child("source");
        nvram.file = source ? source->attribute("file") : element->text();
        nvram.format = element->attribute("format", "raw");
        nvram.template_file = element->attribute("template");
        nvram.template_format = element->attribute("templateFormat");
    }
    if (nvram.template_format.empty()) nvram.template_format = nvram.format;
    return nvram;
}

static const Element* emulated_tpm(const Domain& domain) {
    const auto* backend = domain.document.at("devices/tpm/backend");
    return backend && backend->attribute("type") == "emulator" ? backend : nullptr;
}

bool has_tpm(const Domain& domain) { return emulated_tpm(domain) != nullptr; }

bool keeps_tpm(const Domain& domain) {
    const auto* backend = emulated_tpm(domain);
    return backend && backend->attribute("persistent_state") == "yes";
}

bool leaves_firmware_open(const Domain& domain) {
    const auto* os = domain.document.child("os");
    const auto* loader = loader_of(domain);
    return os && os->attribute("firmware") == "efi" && (!loader || loader->text().empty());
}

static Element& child_of_os(Domain& domain, const char* name, const char* before) {
    auto* os = domain.document.child("os"); // there: only documents with UEFI come here
    auto* element = os->child(name);
    return element ? *element : os->insert_before(before, Element(name), 1);
}

static void require_smm(Domain& domain) {
    auto* features = domain.document.child("features");
    if (!features) features = &domain.document.insert_before("devices", Element("features"));
    auto* smm = features->child("smm");
    if (!smm) smm = &features->append(Element("smm"), 1);
    smm->set_attribute("state", "on");
}

/// <loader> and <nvram> stand right after <type> and <firmware>: what follows them in libvirt's order.
static const char* after_firmware(const Domain& domain, bool nvram) {
    const auto* os = domain.document.child("os");
    for (const char* next : {"nvram", "kernel", "initrd", "cmdline", "boot", "bootmenu", "bios", "smbios"})
        if (os->child(next) && !(nvram && std::string_view(next) == "nvram")) return next;
    return "";
}

void set_loader(Domain& domain, const Loader& loader) {
    auto& element = child_of_os(domain, "loader", after_firmware(domain, false));
    element.set_attribute("readonly", "yes");
    if (loader.secure) element.set_attribute("secure", "yes");
    element.set_attribute("type", "pflash");
    if (loader.format != "raw") element.set_attribute("format", loader.format);
    element.set_text(loader.file);
    if (loader.secure) require_smm(domain);
}

void set_nvram(Domain& domain, const Nvram& nvram) {
    auto& element = child_of_os(domain, "nvram", after_firmware(domain, true));
    if (!nvram.template_file.empty()) element.set_attribute("template", nvram.template_file);
    if (nvram.format != "raw") element.set_attribute("format", nvram.format);
    if (!element.child("source")) element.set_text(nvram.file);
}

std::string nvram_file(const Domain& domain, const std::string& folder) {
    const auto nvram = nvram_of(domain);
    if (!nvram) return {};
    return nvram->file.empty() ? folder + "/VARS.fd" : nvram->file;
}

std::string tpm_folder(const std::string& folder) { return folder + "/tpm2"; }
std::string tpm_file(const std::string& folder) { return tpm_folder(folder) + "/tpm2-00.permall"; }

} // namespace domsnap::model
