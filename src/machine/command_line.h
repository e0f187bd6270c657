// Domain XML -> QEMU's command line. Pure: facts about the host (the chains of images, sockets, the QEMU's
// abilities) are parameters. Knows nothing of snapshots.
#pragma once

#include "model/domain.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace domsnap::machine {

/// One image of a disk's chain, top first.
struct ChainImage {
    std::string path, format;
};

/// Node names of ours: format node "TARGET-N" (N = 0 for the lowest image of the chain, counting up to the
/// top) and its protocol node "TARGET-N-file". At most 31 bytes.
std::string node_name(const std::string& target, unsigned number);

struct CommandLineFacts {
    std::string emulator; ///< absolute path
    int qemu_major = 7, qemu_minor = 2;
    std::map<std::string, std::vector<ChainImage>> chains; ///< by disk target; empty drives are absent
    int monitor_fd = 3, watch_fd = 4;       ///< descriptors of listening sockets for the two QMP monitors
    int guard_fd = -1;                      ///< the same for who watches over the loading of memory; -1: none
    std::map<std::string, int> channel_fds; ///< by socket path: descriptors of listening sockets, if any
    std::string runtime_folder;             ///< the domain's: for sockets without a path in the XML
    std::string tpm_folder;                 ///< swtpm's, for a domain with a TPM
    int tpm_fd = -1;                        ///< a socket at whose other end swtpm is
    std::vector<int> tap_fds;               ///< a network device on its bridge, for each of bridges_of()
    int runtime_folder_fd = -1;             ///< that folder, open in QEMU: for a VNC socket's long path
    std::string events;                     ///< a third monitor, PATH.in to PATH.out; empty: none
    int64_t now = 0;                        ///< epoch seconds, for <clock offset='variable'>
    bool incoming = false;                  ///< -incoming defer
    std::string ram_image; ///< a file that holds RAM from its first byte on, to be mapped privately; empty:
                           ///< anonymous memory
    int ram_fd = -1;       ///< a descriptor of ours that QEMU gets, and finds that file by; -1: by its path
    unsigned long domain_id = 0;
    bool trial = false; ///< only to learn whether QEMU accepts it: images become null-co nodes, sockets,
                        ///< ports, ptys and host files null chardevs, no display port is opened; devices and
                        ///< machine stay as they are
    std::map<std::string, uint64_t> virtual_sizes; ///< by target (flash: "pflash0", "pflash1"), for trial
};

/// argv, argv[0] = emulator. Always -S (the caller resumes), -nodefaults, -no-user-config, -sandbox on,…,
/// guest RAM an anonymous memory backend "pc.ram", -blockdev for every image of every chain, never -drive.
/// Throws unsupported naming element and line for what it cannot run; elements that QEMU need not act on
/// (metadata, title, …) are passed over. type='kvm' without /dev/kvm is the caller's to see. A trial leaves
/// <qemu:commandline> out (it may open ports that the running guest holds) and talks over one connected
/// socket, monitor_fd.
std::vector<std::string> command_line(const model::Domain& domain, const CommandLineFacts& facts);

/// Whether that QEMU can map a file privately that it has opened for reading only.
bool can_open_ram_readonly(const CommandLineFacts& facts);

/// What QEMU's environment gets besides ours: TZ for <clock offset='timezone'>, and <qemu:env>.
std::vector<std::pair<std::string, std::string>> environment(const model::Domain& domain);

/// The paths of the unix sockets that QEMU must listen on for the domain's character devices (mode='bind'),
/// in the document's order; those without a path get one in runtime_folder.
std::vector<std::string> listening_sockets(const model::Domain& domain, const std::string& runtime_folder);

/// The bridges that its interfaces are on, one for each that is, in the document's order.
std::vector<std::string> bridges_of(const model::Domain& domain);

/// "-name x -machine y …" with one option a line, for goldens and logs.
std::string printable_command_line(const std::vector<std::string>& argv);

} // namespace domsnap::machine
