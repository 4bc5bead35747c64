"""Three examples a command, as its `--help` shows them; a test reads each with the command's own parser."""

from __future__ import annotations

from collections.abc import Mapping

Example = tuple[str, str]  # what is typed, and what it does

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "": (
        ("batchcomp compress ~/Photos", "Archive a folder into ~/Photos.bca, or add what is new."),
        ("batchcomp report ~/Photos.bca", "See what it came to, picture by picture."),
        ("batchcomp decode ~/Photos.bca", "Restore everything into Photos-restored."),
    ),
    "compress": (
        ("batchcomp compress ~/Photos --dry-run", "Say what would be archived, and what would be left out."),
        (
            "batchcomp compress ~/Photos -q 70 -o /backup/photos.bca",
            "Finer than usual, into an archive of your choice.",
        ),
        ("batchcomp compress ~/Photos --match-jpeg 85", "As good as JPEG of quality 85, in the fewest bytes."),
    ),
    "preview": (
        ("batchcomp preview ~/Photos", "A page with six photos at five qualities: preview.html."),
        ("batchcomp preview beach.jpg -q 40,55,70", "One photo at qualities of your choice."),
        ("batchcomp preview ~/Photos -n 3 --png sheet.png", "A contact sheet in place of the page."),
    ),
    "decode": (
        ("batchcomp decode Photos.bca", "Everything, as PNG, into Photos-restored."),
        ("batchcomp decode Photos.bca '2024/*' --format source -o out", "One folder, each picture in its own format."),
        (
            "batchcomp decode Photos.bca --at 2026-11-01 --dry-run",
            "What the archive held then, and how much room it takes.",
        ),
    ),
    "report": (
        ("batchcomp report Photos.bca", "A sentence that says it all, then a line a picture."),
        ("batchcomp report Photos.bca --worst 10", "Where batchcomp gains least over JPEG."),
        ("batchcomp report Photos.bca --html report.html", "One page with charts and pictures before and after."),
    ),
    "serve": (
        ("batchcomp serve Photos.bca", "Look at the pictures in a browser on this machine."),
        ("batchcomp serve Photos.bca --port 9000", "At another port."),
        ("batchcomp serve Photos.bca --sources ~/Photos", "With the originals beside, to compare."),
    ),
    "list": (
        ("batchcomp list Photos.bca", "The path of every picture."),
        ("batchcomp list Photos.bca --where 'ms-ssim < 0.97 and size > 5MB'", "Those that a filter leaves."),
        ("batchcomp list Photos.bca --versions", "Every version of every picture, with its date."),
    ),
    "export": (
        ("batchcomp export Photos.bca --parquet photos.parquet", "All that is known of each picture, for analyses."),
        ("batchcomp export Photos.bca '2024/*' --parquet some.parquet", "Of one folder."),
        ("batchcomp export Photos.bca --where 'kind = verbatim' --parquet v.parquet", "Of what was stored as it was."),
    ),
    "index": (
        ("batchcomp index Photos.bca", "Bring it up to date, say where it lies and how large it is."),
        ("batchcomp index Photos.bca --rebuild", "Make it anew."),
        ("batchcomp index Photos.bca --json", "The same for programs."),
    ),
    "verify": (
        ("batchcomp verify Photos.bca", "Read every byte and compare it with its checksum."),
        ("batchcomp verify Photos.bca --sample 5%", "A twentieth of the pictures, others each time."),
        (
            "batchcomp verify Photos.bca --decode --sources ~/Photos",
            "Restore each too, and compare with the originals.",
        ),
    ),
    "diff": (
        ("batchcomp diff Photos.bca ~/Photos", "What is new, changed, missing or moved since."),
        ("batchcomp diff Photos.bca ~/Photos --checksum", "By content, not by size and time."),
        ("batchcomp diff Photos.bca --at 2026-01-01 --at 2026-11-01", "What changed between two days."),
    ),
    "prune": (
        ("batchcomp prune Photos.bca --dry-run", "Say which superseded versions would go."),
        ("batchcomp prune Photos.bca --keep-last 3", "Keep the last three versions of each picture."),
        ("batchcomp prune Photos.bca --delete-missing ~/Photos", "Drop pictures whose originals are gone, too."),
    ),
    "repair": (
        ("batchcomp repair Photos.bca --dry-run", "Say what would be saved, and what is lost."),
        ("batchcomp repair Photos.bca", "Restore or save; the damaged files are kept."),
        ("batchcomp repair Photos.bca --lock-wait 600", "Wait ten minutes for another run to finish."),
    ),
    "doctor": (
        ("batchcomp doctor", "What runs the networks, which versions, which model."),
        ("batchcomp doctor --json", "The same for programs."),
        ("batchcomp doctor --config my.toml", "With another configuration file."),
    ),
    "unpack": (
        ("batchcomp unpack Photos.bca -o jpegs", "All stored files, which any viewer opens."),
        ("batchcomp unpack Photos.bca '2024/*' -o jpegs", "Those of one folder."),
        ("batchcomp unpack beach.png.pack", "One packed payload into the current folder."),
    ),
    "bench": (
        ("batchcomp bench curves ~/Photos", "Bytes and quality beside other codecs."),
        ("batchcomp bench speed ~/Photos --quick", "How fast everything is on this machine."),
        ("batchcomp bench cohorts train=seen test=new", "Whether a model has learned its photos by heart."),
    ),
    "bench curves": (
        ("batchcomp bench curves ~/Photos", "Against JPEG, WebP, AVIF and JPEG XL."),
        ("batchcomp bench curves ~/Photos --rivals jpeg,avif --plot curves.svg", "Against two of them, as a figure."),
        ("batchcomp bench curves ~/Photos --json found.json", "Keep everything that was measured."),
    ),
    "bench speed": (
        ("batchcomp bench speed ~/Photos --quick", "A few minutes only."),
        ("batchcomp bench speed ~/Photos --model fast", "With the fast model."),
        ("batchcomp bench speed ~/Photos --json speed.json", "Keep everything that was measured."),
    ),
    "bench cohorts": (
        ("batchcomp bench cohorts train=seen test=new", "The default model on two folders."),
        ("batchcomp bench cohorts train=seen dev=seen test=new --model my.safetensors", "A model of your own."),
        ("batchcomp bench cohorts train=seen test=new --rate 0.5", "At another rate."),
    ),
    "train": (
        ("batchcomp train joint ~/Photos --run run", "Both networks together, like the shipped model."),
        ("batchcomp train joint ~/Photos --run run --steps 20000", "Go on with a run that has ended."),
        ("batchcomp train alternating ~/Photos --run run17", "The baseline of 2017."),
    ),
    "train joint": (
        ("batchcomp train joint ~/Photos --run run", "Begin, or go on where it stopped."),
        ("batchcomp train joint ~/Photos --run run --start default", "Begin with the shipped model."),
        ("batchcomp train joint ~/Photos --run run --shape fast", "Networks like those of the fast model."),
    ),
    "train alternating": (
        ("batchcomp train alternating ~/Photos --run run", "Begin, or go on where it stopped."),
        ("batchcomp train alternating ~/Photos --run run --loss ms-ssim", "Minimise another loss."),
        ("batchcomp train alternating ~/Photos --run run --steps 2400", "Train for longer."),
    ),
}
