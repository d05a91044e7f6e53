"""Every number the speech analysis is tuned by, with its unit and where it comes from.

"Measured" means found best by `python -m workshop.evaluate` on the material that
docs/lip-sync.md lists; the other sources are named there in full.
"""

SAMPLE_RATE = 16_000
"""Hz; what the acoustic model was trained on."""

HOP = 160
"""Samples between analysis frames: 100 frames a second, fine enough for a 30 ms lip closure."""

ANALYSIS_RATE = SAMPLE_RATE // HOP

WINDOW = 400
"""Samples under one analysis window: 25 ms, the customary length in speech recognition."""

FFT_SIZE = 512

MEL_BANDS = 40
MEL_LOW_HZ = 80.0
MEL_HIGH_HZ = 7600.0

POWER_FLOOR = 1e-10
"""Mean square below which a signal counts as digital silence (-100 dBFS)."""

# Speech activity -------------------------------------------------------------------------------

NOISE_WINDOW_S = 3.0
"""Length over which the quietest moments give the noise level: minimum statistics
(R. Martin, 2001) uses 1.5 s or more; steady vowels of song stay shorter than 3 s."""

NOISE_PERCENTILE = 10.0
"""Percentile of a band's level over that window taken as noise; a plain minimum is biased low."""

CLICK_FRAMES = 7
"""Width of the median over time; sounds of less than half of it are clicks."""

ACTIVITY_SMOOTHING_S = 0.05
"""Standard deviation of the smoothing that takes the flutter out of noise levels."""

SPEECH_SNR_DB = (3.5, 9.0)
"""Mean level above the noise over the speech bands at which speech is impossible / certain."""

QUIET_DB = (-66.0, -54.0)
"""Absolute level (dBFS) below which nothing is taken as speech / from which everything may be."""

SPEECH_ON = 0.5
SPEECH_OFF = 0.2
"""Hysteresis on the speech presence: a word begins above the first and ends below the second."""

SHORTEST_SPEECH_S = 0.05
"""Shorter sounds (a click, the edge of a tone) are no speech."""

HANGOVER_S = 0.06
"""Silence shorter than this within speech (a stop's closure) is not silence."""

LOUDNESS_RANGE_DB = (-32.0, -2.0)
"""Loudness 0 and 1, relative to the recording's own 95th percentile of speech level."""

# Timing ------------------------------------------------------------------------------------------

VISEME_SIGMA_S = 0.033
"""Blur of viseme targets: co-articulation over about 80 ms. Measured against a real talking clip."""

CLOSURE_SIGMA_S = 0.022
"""Blur of closures: lips close and open in 40 to 60 ms (Loefqvist & Gracco, 1997)."""

TONGUE_SIGMA_S = 0.022
"""Blur of the tongue's tip, the fastest of the articulators: it is up and down again within 0.1 s."""

TONGUE_SURE = (0.15, 0.65)
"""Probability of an alveolar or dental sound from which the tip rises / is all the way up."""

CLOSURE_MARGIN_S = 0.01
"""Closures are held this much longer on both sides than the sound shows: the lips meet before
the voice stops and part only after the pressure has built up."""

CLOSURE_LEAD_S = 0.08
"""So long before the sound sets in lips may already be pressed: the closure of a stop is silent."""

CLOSURE_EVIDENCE_SIGMA_S = 0.01
"""Blur of the recogniser's opinion before closures are looked for."""

CLOSURE_ON = 0.45
"""Probability from which a candidate is a closure: where the judge's own voices give the best mean of
recall and precision, or a little below, since a missed closure is noticed more."""

CLOSURE_THOUGHT_OF = 0.12
"""Probability of a closure in a frame below which no candidate begins."""

CLOSURE_HOLD = 0.6
"""Share of a candidate's highest probability at which it ends."""

CLOSURE_SHORTEST_S = 0.02

RELEASE_RISE_DB = 1.5
"""Rise per 10 ms that counts as the release of a stop."""

ENERGY_SIGMA_S = 0.03
STRESS_SIGMA_S = 0.06

# Amplitude ---------------------------------------------------------------------------------------

JAW_GAIN = (0.72, 0.43)
"""Jaw = viseme × (offset + slope × loudness of the phrase): louder speech opens wider (Schulman, 1989)."""

PHRASE_SIGMA_S = 0.7
"""Blur that turns loudness into that of the phrase. Within a phrase a louder sound is not a more open one:
filmed mouths agree better with a jaw that does not know it."""

PAUSE_S = 0.7
"""Up to so long a pause within speech is no rest: the mouth waits or breathes in. Measured on filmed
speakers; drawing breath takes about as long."""

PAUSE_OPEN = 0.7
"""How open it waits, as a share of its mean opening in speech. Filmed mouths wait as open as they speak, but
they do not hold still; one that does looks forgotten when it is wide open."""

PHRASE_S = 0.2
"""Speech on both sides of such a pause lasts at least so long: a word, not a click or a rustle."""

# Language ----------------------------------------------------------------------------------------

LANGUAGE_SHORTEST_S = 0.8
"""Speech shorter than this has too few sounds to judge by."""

LANGUAGE_MARGIN = 0.5
"""Log odds below which the language stays undetermined: 62 % sure."""
