import type { Texts } from './texts.ts';

/** French. SMS texts keep to letters that GSM-7 has, so that they fit one segment. */
export const fr: Texts = {
  sms: 'Votre code {app} est {code}. Ne le partagez pas.',
  voice: 'Votre code {app} est {code}.',
  login: {
    title: 'Connexion',
    username: 'Identifiant',
    password: 'Mot de passe',
    submit: 'Continuer',
  },
  otp: {
    title: 'Saisissez votre code',
    sentBySms: 'Nous avons envoyé un code par SMS au {to}.',
    sentByVoice: 'Nous appelons le {to} pour vous donner votre code.',
    lifetime: 'Il est valable {seconds} secondes à partir de son envoi.',
    code: 'Code à {digits} chiffres',
    submit: 'Se connecter',
    resend: 'Envoyer un nouveau code',
    call: 'M’appeler plutôt',
    otherAccount: 'Utiliser un autre compte',
  },
  home: {
    title: 'Vous êtes connecté',
    user: 'Connecté en tant que',
    since: 'Depuis',
    until: 'Jusqu’à',
    signOut: 'Se déconnecter',
  },
  error: {
    title: 'Cela n’a pas fonctionné',
    back: 'Aller à la page de connexion',
    signedOutHere:
      'Vous êtes déconnecté de ce navigateur, mais nous n’avons pas pu mettre fin à la session elle-même. Une copie ailleurs reste valable jusqu’à son expiration.',
  },
  attemptsLeft: {
    one: 'Il vous reste un essai.',
    other: 'Il vous reste {count} essais.',
    none: 'Il ne vous reste aucun essai. Demandez un nouveau code.',
  },
  retryAfter: 'Réessayez dans {wait}.',
  wait: { seconds: '{count} s', minutes: '{count} min' },
  problems: {
    invalid_request: 'Vérifiez ce que vous avez saisi.',
    not_found: 'Cette page n’existe pas.',
    method_not_allowed: 'Cette page ne peut pas être ouverte ainsi.',
    invalid_credentials: 'Identifiant ou mot de passe incorrect.',
    challenge_missing: 'Veuillez vous reconnecter.',
    not_authenticated: 'Veuillez vous connecter.',
    otp_invalid: 'Code incorrect.',
    otp_expired: 'Le code a expiré. Demandez-en un nouveau.',
    otp_used: 'Ce code a déjà été utilisé ou remplacé. Veuillez vous reconnecter.',
    otp_attempts_exhausted: 'Trop de codes incorrects. Demandez-en un nouveau.',
    account_locked: 'Trop de codes incorrects. Ce compte est bloqué pour un moment.',
    too_many_requests: 'Trop d’essais en peu de temps.',
    cross_site_request: 'Cette demande venait d’un autre site et a été refusée.',
    delivery_failed: 'Nous n’avons pas pu envoyer le code. Réessayez.',
    delivery_rejected: 'Ce numéro de téléphone est injoignable. Contactez l’assistance.',
    directory_unavailable: 'La connexion est indisponible pour le moment. Rien n’a été perdu.',
    limits_unavailable:
      'La connexion est indisponible pour le moment. Votre code reste valable jusqu’à son expiration.',
    overloaded: 'Le service est occupé. Réessayez dans un instant.',
    internal_error: 'Oups, une erreur est survenue.',
  },
};
