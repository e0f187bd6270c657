// <os firmware=>, <loader>, <nvram>: which firmware the machine has, and the flash that holds UEFI's
// variables.
#include "machine/build.h"

#include "base/text.h"
#include "model/firmware.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

bool is_flash(const model::Element& os) {
    const auto* loader = os.child("loader");
    return loader && loader->attribute("type") == "pflash";
}

void check_loader(const model::Element& os, const model::Element& loader) {
    only_attributes(loader, {"readonly", "type", "secure", "format", "stateless"});
    if (word_of(loader, "type", "rom", {"rom", "pflash"}) == "rom") {
        if (os.attribute("firmware") == "efi") refuse_attribute(loader, "type", "UEFI is in a 'pflash'");
        return;
    }
    if (!switch_of(loader, "readonly").value_or(true))
        refuse_attribute(loader, "readonly", "code and variables in one file would be all domains'",
                         "use a split firmware: <loader readonly='yes'> and <nvram>");
    word_of(loader, "format", "raw", {"raw", "qcow2"});
    if (loader.text().empty()) refuse(loader, "it names no firmware", "or say <os firmware='efi'>");
    if (switch_of(loader, "stateless").value_or(false) && os.child("nvram"))
        refuse(*os.child("nvram"), "a stateless <loader> has none");
}

void check_nvram(const model::Element& os, const model::Element& nvram) {
    only_attributes(nvram, {"template", "format", "templateFormat", "type"});
    only_children(nvram, {"source"});
    word_of(nvram, "type", "file", {"file"});
    if (const auto* source = nvram.child("source")) only_attributes(*source, {"file"});
    const auto format = word_of(nvram, "format", "raw", {"raw", "qcow2"});
    if (word_of(nvram, "templateFormat", format, {"raw", "qcow2"}) != format)
        refuse_attribute(nvram, "templateFormat", "the variables are a copy of their template, in its format",
                         "convert the template with qemu-img convert");
    if (!is_flash(os)) refuse(nvram, "there is no <loader type='pflash'>");
}

void check_secure(const Build& build, const model::Element& loader) {
    if (!build.q35)
        refuse_attribute(loader, "secure", "Secure boot is supported with q35 machine types only");
    const auto* features = build.document().child("features");
    if (!features || !child_state(*features, "smm").value_or(false))
        refuse_attribute(loader, "secure", "Secure boot requires SMM feature enabled",
                         "<features><smm state='on'/></features>");
}

void add_trial_node(Build& build, const std::string& name) {
    const auto size = build.facts.virtual_sizes.find(name);
    build.arguments.json("-blockdev",
                         {{"driver", "null-co"},
                          {"node-name", name},
                          {"size", size == build.facts.virtual_sizes.end() ? 1u << 16 : size->second},
                          {"read-zeroes", true}});
}

void add_flash(Build& build, const std::string& name, const std::string& file, const std::string& format,
               bool writable) {
    if (build.facts.trial) return add_trial_node(build, name);
    build.arguments.json("-blockdev", {{"driver", "file"},
                                       {"node-name", name + "-file"},
                                       {"filename", file},
                                       {"auto-read-only", true},
                                       {"discard", "unmap"}});
    Json node{{"driver", format}, {"node-name", name}, {"read-only", !writable}, {"file", name + "-file"}};
    // Said even where there is none, so that QEMU never opens what a header names.
    if (format == "qcow2") node["backing"] = nullptr;
    build.arguments.json("-blockdev", node);
}

void add_uefi(Build& build, const model::Element& loader) {
    add_flash(build, "pflash0", loader.text(), loader.attribute("format", "raw"), false);
    const auto nvram = model::nvram_of(build.domain);
    if (nvram && !text::starts_with_slash(nvram->file))
        refuse(loader, "there is no file for its variables", "<nvram>/absolute/path</nvram>");
    if (nvram) add_flash(build, "pflash1", nvram->file, nvram->format, true);
    if (!switch_of(loader, "secure").value_or(false)) return;
    check_secure(build, loader);
    build.arguments.option("-global", "driver=cfi.pflash01,property=secure,value=on");
}

} // namespace

std::string flash_properties(const Build& build) {
    const auto* os = build.document().child("os");
    if (!os || !is_flash(*os)) return {};
    return model::nvram_of(build.domain) ? ",pflash0=pflash0,pflash1=pflash1" : ",pflash0=pflash0";
}

void add_firmware(Build& build, const model::Element& os) {
    word_of(os, "firmware", "bios", {"bios", "efi"});
    if (const auto* wishes = os.child("firmware")) {
        only_children(*wishes, {"feature"});
        for (const auto* wish : wishes->elements("feature"))
            only_attributes(*wish, {"enabled", "name"});
    }
    const auto* loader = os.child("loader");
    if (loader) check_loader(os, *loader);
    if (const auto* nvram = os.child("nvram")) check_nvram(os, *nvram);
    if (is_flash(os)) return add_uefi(build, *loader);
    if (loader) build.arguments.option("-bios", loader->text());
}

} // namespace domsnap::machine
