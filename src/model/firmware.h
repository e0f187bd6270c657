// What a machine keeps beside its disks and its memory: the variables of its UEFI firmware, and its TPM.
// Reads and edits <os> and <tpm>; whether they can be run is the machine room's to say.
#pragma once

#include "model/domain.h"

#include <optional>
#include <string>

namespace domsnap::model {

/// Larger than any firmware or NVRAM that a PC can have (QEMU 7.2: 8 MiB for all of its flash).
inline constexpr uint64_t max_flash = 16 << 20;

struct Nvram {
    std::string file;          ///< "" = not said: a place of domsnap's own
    std::string format;        ///< "raw" unless it is said
    std::string template_file; ///< what a new one is made from; "" = not said
    std::string template_format;
};

/// Nothing for a domain without UEFI, or whose UEFI keeps no variables (<loader stateless='yes'>).
std::optional<Nvram> nvram_of(const Domain& domain);
/// Whether the domain has a TPM that swtpm emulates.
bool has_tpm(const Domain& domain);
/// <backend persistent_state='yes'>: the TPM's state outlives the domain.
bool keeps_tpm(const Domain& domain);

/// True if <os firmware='efi'> still leaves open which file that is.
bool leaves_firmware_open(const Domain& domain);

struct Loader {
    std::string file, format;
    bool secure = false; ///< only code in system management mode may write the variables
};
/// The <loader> as chosen; a secure one switches <smm> on.
void set_loader(Domain& domain, const Loader& loader);
/// The <nvram>; a format that is raw is not written, as in libvirt.
void set_nvram(Domain& domain, const Nvram& nvram);

// The names in the domain's own folder for such things (docs/formats/store.md).
/// The file of its variables; "" if it has none.
std::string nvram_file(const Domain& domain, const std::string& folder);
/// swtpm's folder, and what it keeps there for good.
std::string tpm_folder(const std::string& folder);
std::string tpm_file(const std::string& folder);

} // namespace domsnap::model
