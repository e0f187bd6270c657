// What scenarios are made of: worlds, requests, and verbs as they are run.
#pragma once

#include "scenario.h"

namespace crash {

using Prepare = std::function<void(World&, domsnap::Host&)>;
using Run = std::function<void(World&, domsnap::Host&, const domsnap::Control&)>;

// Requests
std::string request(const std::string& name, const std::string& inside = {});
std::string memory_at(const World& world, const std::string& name);
std::string disks(const char* vda, const char* vdb);
/// Both disks external, and the memory in a file "n.mem" (of n).
std::string full_request(const World& world, const std::string& name);

// Worlds
/// A domain with two disks, and what else the machine is to have.
void define_two_disks(World& world, domsnap::Host& host, const Machine& machine);
void two_disks(World& world, domsnap::Host& host);
void create(domsnap::Host& host, const std::string& xml, const domsnap::CreateOptions& options = {});
/// Where the guest writes now.
void write_leaf(const World& world, const domsnap::Host& host, const std::string& target, unsigned block,
                char letter);
/// A chain of offline snapshots with external disks, s1 …, a letter written after each.
Prepare chain_of(unsigned count);
/// An internal snapshot i1 of both disks.
void internal(World& world, domsnap::Host& host);
/// Two of a running guest; the second's memory rests on the first's.
void checkpoints(World& world, domsnap::Host& host);
/// The same of one that stands still.
void paused_checkpoint(World& world, domsnap::Host& host);
/// One full checkpoint m1 of a running guest.
void checkpoint(World& world, domsnap::Host& host);

// Verbs
Run creating(std::function<std::string(const World&)> xml, domsnap::CreateOptions options = {});
/// Carried on by a process that is not struck; it is over when its lock can be had.
Run creating_behind(std::function<std::string(const World&)> xml);
Run reverting(const std::string& snapshot, domsnap::RevertOptions options = {});
Run deleting(const std::string& snapshot, domsnap::DeleteOptions options = {});
Run undefining(domsnap::Host::UndefineOptions options);

// The scenarios, by what they are about
std::vector<Scenario> scenarios_of_domains();
std::vector<Scenario> scenarios_of_create();
std::vector<Scenario> scenarios_of_revert();
std::vector<Scenario> scenarios_of_delete();
std::vector<Scenario> scenarios_of_records();
std::vector<Scenario> scenarios_of_guests();   ///< paused, halted, quiesced
std::vector<Scenario> scenarios_of_firmware(); ///< NVRAM and TPM
std::vector<Scenario> scenarios_of_forks();
std::vector<Scenario> scenarios_in_place();
std::vector<Scenario> scenarios_of_adoption();

} // namespace crash
