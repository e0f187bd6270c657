// <sound>: the guest finds its card; what it plays goes nowhere.
#include "machine/pci.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace domsnap::machine {

namespace {

void add_codecs(Build& build, const model::Element& sound, const std::string& card) {
    auto codecs = sound.elements("codec");
    static const model::Element standard("codec");
    if (codecs.empty()) codecs.push_back(&standard);
    for (size_t i = 0; i < codecs.size(); ++i) {
        const auto type = word_of(*codecs[i], "type", "duplex", {"duplex", "micro", "output"});
        build.arguments.device(DeviceRank::plugged, {{"driver", "hda-" + type},
                                                     {"id", fmt::format("{}-codec{}", card, i)},
                                                     {"bus", card + ".0"},
                                                     {"cad", i},
                                                     {"audiodev", "audio1"}});
    }
}

void add_card(Build& build, const model::Element& sound, size_t number) {
    only_children(sound, {"alias", "address", "codec", "audio"});
    only_attributes(sound, {"model"});
    const auto model = word_of(sound, "model", "", {"ich6", "ich9", "ac97", "es1370", "usb"});
    const auto id = id_of(sound, fmt::format("sound{}", number));
    static const std::map<std::string, std::string> drivers = {{"ich6", "intel-hda"},
                                                               {"ich9", "ich9-intel-hda"},
                                                               {"ac97", "AC97"},
                                                               {"es1370", "ES1370"},
                                                               {"usb", "usb-audio"}};
    Json device{{"driver", drivers.at(model)}, {"id", id}};
    const bool hda = model == "ich6" || model == "ich9";
    if (!hda) device["audiodev"] = "audio1";
    if (model == "usb") return build.arguments.device(DeviceRank::plugged, device);
    add_pci_device(build, sound, std::move(device));
    if (hda) add_codecs(build, sound, id);
}

} // namespace

void add_sound(Build& build) {
    for (const auto* audio : build.devices("audio"))
        word_of(*audio, "type", "none", {"none"});
    const auto cards = build.devices("sound");
    if (!cards.empty()) build.arguments.json("-audiodev", {{"driver", "none"}, {"id", "audio1"}});
    for (size_t i = 0; i < cards.size(); ++i)
        add_card(build, *cards[i], i);
}

} // namespace domsnap::machine
