// What a machine keeps outside of its disks: UEFI variables, and NV indexes of a TPM 2.0. Each call gives ""
// for success, else what went wrong.
#pragma once

#include <cstdint>
#include <string>

namespace guest {

/// Variables of a vendor GUID of our own. Reading one that is not there is an error.
std::string efi_write(const std::string& name, const std::string& text);
std::string efi_read(const std::string& name, std::string& text);

/// Indexes of 32 bytes with the owner's (empty) password; the first write makes them.
std::string tpm_write(uint32_t index, const std::string& text);
std::string tpm_read(uint32_t index, std::string& text);

} // namespace guest
