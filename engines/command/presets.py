"""Programs people run to make portraits talk: how each is called, and under which licence it comes.

What a preset needs beyond our values (where weights lie, which Python) is given by `COMMAND_ARGS`, which is
appended, and by the placeholders that take their value from `COMMAND_<NAME>`. Read from the programs' own
sources; none of them is installed by us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A call. Arguments are templates: see `engines.command.engine.Call` for the values there are."""

    title: str
    licence: str
    arguments: tuple[str, ...]
    output: str
    """Where the result is, as a pattern below the job's folder."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → content of files that are written before; JSON strings are escaped in `.json`."""
    fps: int = 25
    max_audio_s: float = 300.0
    understands_prompt: bool = False
    needs_face: bool = True


INFINITETALK_INPUT = (
    '{{"prompt": {prompt_json}, "cond_video": {portrait_json}, "cond_audio": {{"person1": {audio_json}}}}}'
)
LONGCAT_INPUT = (
    '{{"prompt": {prompt_json}, "cond_image": {portrait_json}, "cond_audio": {{"person1": {audio_json}}}}}'
)
MUSETALK_INPUT = "task_0:\n  video_path: {portrait_json}\n  audio_path: {audio_json}\n"

PRESETS: Mapping[str, Preset] = {
    "sadtalker": Preset(
        title="SadTalker",
        licence="Apache-2.0",
        arguments=(
            *("{python}", "inference.py", "--driven_audio", "{audio}", "--source_image", "{portrait}"),
            *("--result_dir", "{folder}/out", "--preprocess", "full", "--still"),
        ),
        output="out/*.mp4",
    ),
    "musetalk": Preset(
        title="MuseTalk 1.5",
        licence="MIT",
        arguments=(
            *("{python}", "-m", "scripts.inference", "--inference_config", "{folder}/input.yaml"),
            *("--result_dir", "{folder}/out", "--version", "v15"),
            *("--unet_model_path", "{models}/musetalkV15/unet.pth"),
            *("--unet_config", "{models}/musetalkV15/musetalk.json"),
        ),
        files={"input.yaml": MUSETALK_INPUT},
        output="out/v15/*.mp4",
    ),
    "ditto": Preset(
        title="Ditto",
        licence="Apache-2.0",
        arguments=(
            *("{python}", "inference.py", "--data_root", "{models}/ditto_pytorch"),
            *("--cfg_pkl", "{models}/ditto_cfg/v0.4_hubert_cfg_pytorch.pkl"),
            *("--audio_path", "{audio}", "--source_path", "{portrait}", "--output_path", "{output}"),
        ),
        output="output.mp4",
    ),
    "joyvasa": Preset(
        title="JoyVASA",
        licence="MIT",
        arguments=(
            *("{python}", "inference.py", "-r", "{portrait}", "-a", "{audio}", "-o", "{folder}/out"),
            *("--animation_mode", "human", "--cfg_scale", "2.0"),
        ),
        output="out/*.mp4",
    ),
    "infinitetalk": Preset(
        title="InfiniteTalk",
        licence="Apache-2.0",
        arguments=(
            *("{python}", "generate_infinitetalk.py", "--ckpt_dir", "{models}/Wan2.1-I2V-14B-480P"),
            *("--wav2vec_dir", "{models}/chinese-wav2vec2-base"),
            *("--infinitetalk_dir", "{models}/InfiniteTalk/single/infinitetalk.safetensors"),
            *("--input_json", "{folder}/input.json", "--size", "infinitetalk-480", "--mode", "streaming"),
            *("--motion_frame", "9", "--max_frame_num", "{frames}", "--base_seed", "{seed}"),
            *("--save_file", "{folder}/output"),
        ),
        files={"input.json": INFINITETALK_INPUT},
        output="output*.mp4",
        understands_prompt=True,
    ),
    "longcat-avatar": Preset(
        title="LongCat-Video-Avatar 1.5",
        licence="MIT",
        arguments=(
            *("{torchrun}", "--nproc_per_node=1", "run_demo_avatar_single_audio_to_video.py"),
            *("--checkpoint_dir", "{models}/LongCat-Video-Avatar-1.5", "--stage_1=ai2v"),
            *("--input_json", "{folder}/input.json", "--num_segments={segments}", "--ref_img_index=10"),
            *("--mask_frame_range=3", "--use_distill", "--model_type", "avatar-v1.5"),
            *("--output_dir", "{folder}/out"),
        ),
        files={"input.json": LONGCAT_INPUT},
        output="out/**/*.mp4",
        understands_prompt=True,
    ),
    "flashhead": Preset(
        title="SoulX-FlashHead 1.3B",
        licence="Apache-2.0",
        arguments=(
            *("{python}", "generate_video.py", "--ckpt_dir", "{models}/SoulX-FlashHead-1_3B"),
            *("--wav2vec_dir", "{models}/wav2vec2-base-960h", "--model_type", "lite"),
            *("--cond_image", "{portrait}", "--audio_path", "{audio}", "--audio_encode_mode", "stream"),
            *("--save_file", "{output}"),
        ),
        output="output.mp4",
    ),
    "wan-s2v": Preset(
        title="Wan2.2-S2V",
        licence="Apache-2.0",
        arguments=(
            *("{python}", "generate.py", "--task", "s2v-14B", "--size", "1024*704"),
            *("--ckpt_dir", "{models}/Wan2.2-S2V-14B", "--offload_model", "True", "--convert_model_dtype"),
            *("--prompt", "{prompt}", "--image", "{portrait}", "--audio", "{audio}"),
            *("--base_seed", "{seed}", "--save_file", "{output}"),
        ),
        output="output.mp4",
        fps=16,
        understands_prompt=True,
        needs_face=False,
    ),
}
