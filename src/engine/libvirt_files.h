// Where libvirt's QEMU driver keeps what it knows, and what stands there, as text. Reads only. Which of it
// can be taken over is adoption's business. Layout: libvirt's qemu_conf.c (7.0 to 11.0), for the system and
// for a user's session.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace domsnap::engine {

class LibvirtFiles {
  public:
    /// from: a folder that stands for / (a mounted backup), or for a home; "" = this host's, or this user's.
    /// Throws not_found if no libvirt ever kept domains there.
    explicit LibvirtFiles(const std::string& from);

    std::vector<std::string> domain_names() const; ///< in virsh's order
    /// The name behind a name or a UUID. Throws not_found.
    std::string resolve(const std::string& given) const;
    std::string definition_path(const std::string& domain) const;
    std::string definition(const std::string& domain) const; ///< throws not_found
    /// Paths of the snapshots' documents, sorted.
    std::vector<std::string> snapshot_paths(const std::string& domain) const;
    /// Its document, of at most 16 MiB.
    static std::string read(const std::string& path);

    /// The QEMU that libvirt runs for the domain: its pid, if that is still the process that it was.
    std::optional<int> running(const std::string& domain, const std::string& uuid) const;
    /// Pid and name of the daemon that has these files in its memory, and would not notice a change.
    std::optional<std::pair<int, std::string>> daemon() const;
    /// The memory that `virsh managedsave` keeps for the next start; "" = none.
    std::string managed_save(const std::string& domain) const;
    /// The permanent state of the TPM that swtpm plays for the domain of that UUID; "" = it has none yet.
    std::string tpm_state(const std::string& uuid) const;
    bool has_checkpoints(const std::string& domain) const;
    /// Everything by which libvirt would know the domain again, and which is there; the definition first.
    std::vector<std::string> traces(const std::string& domain) const;

  private:
    std::string save_path(const std::string& domain) const;
    std::string definitions_, state_, run_, tpms_;
};

} // namespace domsnap::engine
